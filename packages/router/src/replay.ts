import type { JournaledOperation, Logger, Operations } from '@nexus/core'
import { isStoreError } from '@nexus/core'
import type { Journal, Slot } from './journal.ts'

/** How many operations go to the backend at once, and what they may take: they wait for those who replay the same. */
const atOnce = 100
const replayTimeoutMs = 5000

export interface Replayed {
  replayed: number
  conflicts: number
}

export interface ReplayOptions {
  journal: Journal
  operations: Operations
  logger: Logger
  clock: { now(): number }
  isStopped(): boolean
}

/** The records from this slot on that are there, so many at most. */
const readOn = async (journal: Journal, generation: number, from: number, most: number): Promise<Slot[]> => {
  const slots: Slot[] = []
  while (slots.length < most) {
    const found = await journal.read(generation, from + slots.length)
    if (!found) break
    slots.push(found)
    if (found.record?.kind === 'end') break
  }
  return slots
}

/** How many became conflicts; null: they cannot be applied now. */
const apply = async (operations: Operations, journaled: readonly JournaledOperation[]): Promise<number | null> => {
  if (journaled.length === 0) return 0
  try {
    const results = await operations.replay(journaled, { timeoutMs: replayTimeoutMs })
    return results.filter(({ status }) => status === 'conflict').length
  } catch (error) {
    if (isStoreError(error, 'unavailable')) return null
    throw error
  }
}

const operationsIn = (slots: readonly Slot[]): JournaledOperation[] =>
  slots.flatMap(({ record }) => (record?.kind === 'operation' ? [record.journaled] : []))

/**
 * Applies what the outage wrote, in order, and ends it. It can be killed anywhere, and several processes may do it at
 * once: what comes later is only sent when what came before is settled, and each applies once. Null: it has to go on
 * later. [C-ROUTE-12]
 */
export const replay = async (options: ReplayOptions): Promise<Replayed | null> => {
  const { journal, operations, logger, clock, isStopped } = options
  const view = await journal.view()
  if (!view) return { replayed: 0, conflicts: 0 }
  const { generation } = view
  const counts = { replayed: 0, conflicts: 0, unreadable: 0 }
  let most = atOnce
  for (let next = 1; ; ) {
    if (isStopped()) return null
    const slots = await readOn(journal, generation, next, most)
    const journaled = operationsIn(slots)
    const conflicts = await apply(operations, journaled)
    if (conflicts === null) {
      if (slots.length === 1) return null
      // They may be more than a slow backend does in the time they have.
      most = 1
      continue
    }
    counts.replayed += journaled.length
    counts.conflicts += conflicts
    for (const [index, { record }] of slots.entries())
      if (!record) {
        counts.unreadable += 1
        const where = { generation, slot: next + index }
        logger.error('A record of the journal cannot be read; it is left where it is', where)
      }
    next += slots.length
    if (slots.at(-1)?.record?.kind === 'end') break
    if (slots.length === 0 && (await journal.seal(generation, next, { at: clock.now(), ...counts }))) break
  }
  await journal.prune()
  return counts
}
