import fc from 'fast-check'
import type { OpenHarness } from '../harness.ts'
import { surroundings } from './around.ts'
import { completionAnswers, completionOperations } from './completions.ts'
import { type Coverage, createCoverage } from './coverage.ts'
import { hostStateAnswers, hostStateOperations } from './host-state.ts'
import { inboxHoldAnswers, inboxHoldOperations, rareOperations } from './inbox-holds.ts'
import { inboxQueueAnswers, inboxQueueOperations } from './inbox-queue.ts'
import { type Count, createTrial, type Difference } from './lockstep.ts'
import type { Operation } from './operation.ts'
import { reduceSequence } from './reduce.ts'
import { taskFileAnswers, taskFileOperations } from './task-files.ts'
import { workflowAnswers, workflowOperations } from './workflows.ts'

export interface ModelRun {
  open: OpenHarness
  /** Completions lie on files: other programs' reports come through the mailbox. */
  hasMailbox: boolean
  seed: number
  operations: number
}

export interface ModelReport {
  operations: number
  /** The first difference, shrunk, as the sequence that leads to it; null where there is none. */
  difference: string | null
  coverage: Coverage
  expected: Readonly<Record<string, readonly string[]>>
}

/** On average half of it. */
const longestSequence = 400

const oneOf = (operations: readonly fc.Arbitrary<Operation>[], weight: number) => ({
  arbitrary: fc.oneof(...operations),
  weight,
})

const anyOperation = (hasMailbox: boolean): fc.Arbitrary<Operation> =>
  fc.oneof(
    oneOf(workflowOperations, 200),
    oneOf(completionOperations(hasMailbox), 200),
    oneOf(hostStateOperations, 160),
    oneOf(taskFileOperations, 180),
    oneOf(inboxQueueOperations, 240),
    oneOf(inboxHoldOperations, 400),
    oneOf(surroundings, 60),
    { arbitrary: fc.oneof(...rareOperations), weight: 3 },
  )

const shown = (sequence: readonly Operation[], { step, verb, expected, given }: Difference): string =>
  [
    `step ${step}, ${verb}, of`,
    ...sequence.map((operation, n) => `  ${n} ${fc.stringify(operation)}`),
    `  memory: ${expected}`,
    `  tested: ${given}`,
  ].join('\n')

/** Runs sequences until so many operations are done, or one differs; that one is cut down to what it takes. */
export const runModel = async ({ open, hasMailbox, seed, operations }: ModelRun): Promise<ModelReport> => {
  const coverage = createCoverage()
  const trial = createTrial(open)
  let ran = 0
  const count: Count = (verb, kind) => {
    ran += 1
    coverage.count(verb, kind)
  }
  const failing: (readonly Operation[])[] = []
  const sequence = fc.array(anyOperation(hasMailbox), { minLength: 1, maxLength: longestSequence, size: 'max' })
  const property = fc.asyncProperty(fc.noBias(sequence), async (given) => {
    const isAlike = (await trial(given, count)) === null
    if (!isAlike) failing.push(given)
    return isAlike
  })
  const numRuns = Math.max(1, Math.ceil((2 * operations) / longestSequence))
  // Cut down by steps alone: what fast-check would shrink within them takes hours on a real backend.
  await fc.check(property, { seed, numRuns, endOnFailure: true })
  const reduced = failing[0] ? await reduceSequence(failing[0], (given) => trial(given)) : null
  return {
    operations: ran,
    coverage,
    expected: {
      ...workflowAnswers,
      ...completionAnswers(hasMailbox),
      ...hostStateAnswers,
      ...taskFileAnswers,
      ...inboxQueueAnswers,
      ...inboxHoldAnswers,
    },
    difference: reduced ? shown(reduced.sequence, reduced.difference) : failing[0] ? 'It did not come again.' : null,
  }
}
