import type { OpenHarness } from '../harness.ts'
import { openMemoryHarness } from '../memory/harness.ts'
import { canonical } from './answer.ts'
import type { Operation } from './operation.ts'
import { openSide, type Side } from './side.ts'

/** The first operation that two backends answered differently. */
export interface Difference {
  step: number
  verb: string
  expected: string
  given: string
}

export type Count = (verb: string, kind: string) => void

/** One sequence on the memory backend and on another, answer by answer; null where all were alike. */
export type Trial = (sequence: readonly Operation[], count?: Count) => Promise<Difference | null>

const tick = (side: Side, step: number): void => {
  side.step = step
  side.harness.clock.advance(1)
}

const answerOn = async (side: Side, { run }: Operation): Promise<{ kind: string; text: string }> => {
  try {
    const answer = await run(side)
    return { kind: answer.kind, text: canonical(answer) }
  } catch (error) {
    return { kind: 'threw', text: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

export const createTrial =
  (open: OpenHarness): Trial =>
  async (sequence, count = () => {}) => {
    await using oracle = await openMemoryHarness()
    await using tested = await open()
    const sides = { oracle: await openSide(oracle), tested: await openSide(tested) }
    for (const [step, operation] of sequence.entries()) {
      tick(sides.oracle, step)
      tick(sides.tested, step)
      const expected = await answerOn(sides.oracle, operation)
      const given = await answerOn(sides.tested, operation)
      count(operation.verb, expected.kind)
      const isAlike = expected.text === given.text && expected.kind !== 'threw'
      if (!isAlike) return { step, verb: operation.verb, expected: expected.text, given: given.text }
    }
    return null
  }
