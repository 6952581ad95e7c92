import { readReportText } from '@nexus/core'
import type { Harness } from '../harness.ts'
import { openMemoryHarness } from '../memory/harness.ts'
import { canonical } from './answer.ts'
import type { Pairing } from './compare.ts'
import type { Operation } from './operation.ts'
import { openSide, type Side } from './side.ts'

/** The first operation that two backends answered differently. */
export interface Difference {
  step: number
  verb: string
  expected: string
  given: string
}

type Count = (verb: string, kind: string) => void

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

/** What a mailbox makes of an agent's file: a report of its project, saved; nothing of one that is cut. */
const withMailbox = (memory: Harness): Harness => {
  let drops = 0
  return {
    ...memory,
    get backend() {
      return memory.backend
    },
    foreign: {
      ...memory.foreign,
      async insertCompletion({ project, issueNumber, data }) {
        const read = readReportText(data, { issueNumber })
        if (!read.ok) return
        const { attemptId, ...report } = read.report
        drops += 1
        await memory.backend.completions.save({ ...report, project, reportId: attemptId ?? `drop:${drops}:` })
      },
    },
  }
}

export const createTrial =
  ({ open, hasMailbox }: Pick<Pairing, 'open' | 'hasMailbox'>): Trial =>
  async (sequence, count = () => {}) => {
    await using memory = await openMemoryHarness()
    await using tested = await open()
    const oracle = await openSide(hasMailbox ? withMailbox(memory) : memory)
    const other = await openSide(tested)
    for (const [step, operation] of sequence.entries()) {
      tick(oracle, step)
      tick(other, step)
      const expected = await answerOn(oracle, operation)
      const given = await answerOn(other, operation)
      count(operation.verb, expected.kind)
      const isAlike = expected.text === given.text && expected.kind !== 'threw'
      if (!isAlike) return { step, verb: operation.verb, expected: expected.text, given: given.text }
    }
    return null
  }
