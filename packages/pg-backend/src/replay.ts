import {
  CompletionInput,
  dedupKey,
  isStoreError,
  type JournaledOperation,
  JsonDocument,
  maxUpdateTries,
  type Operation,
  parseInput,
  type RebasedState,
  type ReplayResult,
  readingRev,
  rebaseState,
  type StateOperation,
  StoreError,
  stateConflicts,
} from '@nexus/core'
import { answerOf, rememberedDays } from './applied.ts'
import { createCompletionSave } from './completions.ts'
import { keepConflicts, type NewConflicts } from './conflicts.ts'
import { type RunStatement, runWithin } from './query.ts'
import { createStateRows } from './state-rows.ts'
import { recordApplied, takeReplayTurn } from './statements/applied.ts'
import type { Call, PgTools } from './tools.ts'

/** One at a time in this database, whichever program replays. */
const replayTurn = 72707370

const rememberedMs = rememberedDays * 24 * 3600 * 1000
const tooOld = 'it is too old to know whether it was applied'

/** A journaled operation within its transaction. */
interface Replaying {
  journaled: JournaledOperation
  run: RunStatement
  call: Call
}

type Kept = Pick<NewConflicts, 'store' | 'key' | 'conflicts'>

const statusOf = ({ conflicts }: Pick<Kept, 'conflicts'>): ReplayResult => ({
  status: conflicts.length > 0 ? 'conflict' : 'applied',
})

/** Writes what the present value becomes, with the id; false where another writer was faster. */
const writeState = async (
  { run, call }: Replaying,
  operation: StateOperation,
  rebase: (present: string | null) => RebasedState,
): Promise<RebasedState | null> => {
  const { id, key } = operation
  const rows = createStateRows({ run })
  const present = await rows.read(key, call)
  const rebased = rebase(present?.text ?? null)
  const { text, isUnseen } = rebased
  if (text === null) {
    await run(recordApplied, [id, JSON.stringify(statusOf(rebased))], call)
    return rebased
  }
  const reason = isUnseen ? 'replaced by a save that had not seen it' : undefined
  const rev = present
    ? await rows.replace({ key, text, rev: readingRev(present.reading), reason }, { ...call, id })
    : await rows.create(key, text, { ...call, id })
  return rev === null ? null : rebased
}

const applyState = async (replaying: Replaying, operation: StateOperation): Promise<Kept> => {
  const { key } = operation
  const { base } = replaying.journaled
  parseInput(JsonDocument, operation.kind === 'state-save' ? operation.value : operation.entries, `value of ${key}`)
  for (let tries = 0; tries < maxUpdateTries; tries += 1) {
    const rebased = await writeState(replaying, operation, (present) => rebaseState({ operation, base, present }))
    if (rebased) return { store: 'hostState', key, conflicts: rebased.conflicts }
  }
  throw new StoreError({ code: 'unavailable', message: `Others kept changing the state ${key}.` })
}

const apply = async (replaying: Replaying): Promise<Kept> => {
  const { journaled, run, call } = replaying
  const { operation } = journaled
  if (operation.kind !== 'completion-save') return applyState(replaying, operation)
  const input = parseInput(CompletionInput, operation.completion, 'completion')
  const { dedupKey: key } = await createCompletionSave({ run })(input, { ...call, id: operation.id })
  return { store: 'completions', key, conflicts: [] }
}

/** What cannot be applied is over all the same: all of it is among the conflicts. */
const giveUp = async ({ journaled, run, call }: Replaying, reason: string): Promise<Kept> => {
  const { operation, base } = journaled
  await run(recordApplied, [operation.id, JSON.stringify({ status: 'conflict' })], call)
  if (operation.kind === 'completion-save') {
    const values = { member: null, base: undefined, ours: operation.completion, theirs: undefined }
    return { store: 'completions', key: dedupKey(operation.completion), conflicts: [{ ...values, reason }] }
  }
  const present = (await createStateRows({ run }).read(operation.key, call))?.text ?? null
  return { store: 'hostState', key: operation.key, conflicts: stateConflicts({ operation, base, present }, reason) }
}

/** Several may go in one transaction; one that is refused for good is told from the others when each has its own. */
const isRefused = (error: unknown): error is StoreError =>
  isStoreError(error) && error.code !== 'unavailable' && error.code !== 'closed'

/**
 * Applies journaled operations and keeps their conflicts in one transaction: cut off anywhere, it is as if it had not
 * begun, and it can be replayed again. [C-ROUTE-12]
 */
export const createReplay = ({ client, clock }: PgTools) => {
  const isTooOld = ({ sent, at }: JournaledOperation): boolean => sent && clock.now() - at > rememberedMs

  const one = async (replaying: Replaying, reason: string | null): Promise<ReplayResult> => {
    const { journaled, run, call } = replaying
    const { id }: Operation = journaled.operation
    if ((await answerOf(run, id, call)) !== null) return { status: 'already' }
    const kept = reason === null ? await apply(replaying) : await giveUp(replaying, reason)
    await keepConflicts(run, { id, ...kept }, call)
    return statusOf(kept)
  }

  const inTurn = (all: readonly JournaledOperation[], call: Call, refusal: string | null): Promise<ReplayResult[]> =>
    client.transaction(async (query) => {
      const run = runWithin(query)
      // In a statement of its own: the next ones see what the one before us did.
      await run(takeReplayTurn, [replayTurn], call)
      const results: ReplayResult[] = []
      for (const journaled of all)
        results.push(await one({ journaled, run, call }, refusal ?? (isTooOld(journaled) ? tooOld : null)))
      return results
    }, call)

  const replay = async (all: readonly JournaledOperation[], call: Call): Promise<ReplayResult[]> => {
    try {
      return await inTurn(all, call, null)
    } catch (error) {
      // Refused for good, or an id was recorded by a statement in flight: the next look tells.
      if (!isRefused(error)) throw error
      if (all.length === 1) return inTurn(all, call, error.message)
      const results: ReplayResult[] = []
      for (const journaled of all) results.push(...(await replay([journaled], call)))
      return results
    }
  }
  return replay
}
