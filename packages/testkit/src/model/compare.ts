import fc from 'fast-check'
import type { OpenHarness } from '../harness.ts'
import { surroundings } from './around.ts'
import { completionAnswers, completionOperations } from './completions.ts'
import { type Coverage, createCoverage } from './coverage.ts'
import type { Expected } from './expected.ts'
import { hostStateAnswers, hostStateOperations } from './host-state.ts'
import { inboxAnswers, inboxOperations } from './inbox.ts'
import { createTrial, type Difference, type Trial } from './lockstep.ts'
import { type Operation, type OperationKind, readSequence } from './operation.ts'
import { reduceSequence } from './reduce.ts'
import { taskFileAnswers, taskFileOperations } from './task-files.ts'
import { workflowAnswers, workflowOperations } from './workflows.ts'

/** A backend beside the memory backend. */
export interface Pairing {
  open: OpenHarness
  /** Completions lie on files: other programs' reports come through the mailbox. */
  hasMailbox: boolean
  /** Another program can write the status of an inbox task. */
  hasStatus: boolean
}

export interface ModelRun extends Pairing {
  seed: number
  operations: number
}

/** The first difference that a run met, and what led to it. */
export interface Search {
  operations: number
  coverage: Coverage
  failing: { sequence: readonly Operation[]; difference: Difference; seed: number } | null
}

export interface ModelReport extends Omit<Search, 'failing'> {
  /** The first difference with the shortest sequence found that leads to it; null where there is none. */
  difference: string | null
  expected: Expected
}

/** On average half of it. */
const longestSequence = 400

/** Whatever the pairing: a printed sequence is read by its verbs. */
const allOperations = (hasMailbox: boolean, hasStatus: boolean): OperationKind[] => [
  ...workflowOperations,
  ...completionOperations(hasMailbox),
  ...hostStateOperations,
  ...taskFileOperations,
  ...inboxOperations(hasStatus),
  ...surroundings,
]

const expectedAnswers = (hasMailbox: boolean): Expected => ({
  ...workflowAnswers,
  ...completionAnswers(hasMailbox),
  ...hostStateAnswers,
  ...taskFileAnswers,
  ...inboxAnswers,
})

const shown = (sequence: readonly Operation[], { step, verb, expected, given }: Difference): string =>
  [
    `step ${step}, ${verb}, of`,
    ...sequence.map((operation) => `  ${fc.stringify(operation)}`),
    `  memory: ${expected}`,
    `  tested: ${given}`,
  ].join('\n')

/** Neighbouring seeds would begin alike. */
const scattered = (seed: number): number => Math.imul(seed, 0x9e3779b1)

/** Runs sequences until so many operations are done, or one differs; the n-th is the first of the seed n further. */
export const searchDifference = async (
  { hasMailbox, hasStatus, seed, operations }: Omit<ModelRun, 'open'>,
  trial: Trial,
): Promise<Search> => {
  const coverage = createCoverage()
  const anyOperation = fc.oneof(...allOperations(hasMailbox, hasStatus))
  const anySequence = fc.noBias(fc.array(anyOperation, { minLength: 1, maxLength: longestSequence, size: 'max' }))
  let ran = 0
  for (let first = seed; ran < operations; first += 1) {
    const [sequence = []] = fc.sample(anySequence, { seed: scattered(first), numRuns: 1 })
    const difference = await trial(sequence, (verb, kind) => {
      ran += 1
      coverage.count(verb, kind)
    })
    if (difference) return { operations: ran, coverage, failing: { sequence, difference, seed: first } }
  }
  return { operations: ran, coverage, failing: null }
}

export const runModel = async (run: ModelRun): Promise<ModelReport> => {
  const trial = createTrial(run)
  const { failing, ...found } = await searchDifference(run, trial)
  // Cut down by steps alone: what fast-check would shrink within them takes hours on a real backend.
  const reduced = failing && (await reduceSequence(failing.sequence, (given) => trial(given)))
  // What does not come again is shown as it came, whole.
  const seen = reduced ?? failing
  return {
    ...found,
    expected: expectedAnswers(run.hasMailbox),
    difference: failing && seen && `seed ${failing.seed}, ${shown(seen.sequence, seen.difference)}`,
  }
}

/** A sequence as a run printed it; null where all answers are alike. */
export const replay = async (pairing: Pairing, text: string): Promise<string | null> => {
  const kinds = [...allOperations(false, true), ...completionOperations(true)]
  const sequence = readSequence(text, kinds)
  const difference = await createTrial(pairing)(sequence)
  return difference && shown(sequence, difference)
}
