import type { JournaledOperation, Logger, Operations } from '@nexus/core'
import { isStoreError } from '@nexus/core'
import type { Journal, Slot } from './journal.ts'

/** How many operations go to the backend at once, and what they may take: they wait for those who replay the same. */
const atOnce = 50
const replayTimeoutMs = 5000

export interface Replayed {
  replayed: number
  conflicts: number
}

export interface ReplayOptions {
  journal: Journal
  operations(): Promise<Operations>
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

const operationsIn = (slots: readonly Slot[]): JournaledOperation[] =>
  slots.flatMap(({ record }) => (record?.kind === 'operation' ? [record.journaled] : []))

/** How far this process came in a generation. */
interface Progress extends Replayed {
  generation: number
  next: number
  unreadable: number
}

const applyFrom = async (
  { journal, operations, logger }: ReplayOptions,
  progress: Progress,
  slots: readonly Slot[],
) => {
  const journaled = operationsIn(slots)
  if (journaled.length > 0) {
    const results = await (await operations()).replay(journaled, { timeoutMs: replayTimeoutMs })
    progress.conflicts += results.filter(({ status }) => status === 'conflict').length
  }
  progress.replayed += journaled.length
  for (const [index, { record }] of slots.entries())
    if (!record) {
      progress.unreadable += 1
      const where = { generation: progress.generation, slot: progress.next + index, journal: journal.place }
      logger.error('A record of the journal cannot be read; it is left where it is', where)
    }
  progress.next += slots.length
}

/**
 * Applies what the outage wrote, in order, and ends it. It can be killed anywhere, and several processes may do it at
 * once: what comes later is only sent when what came before is settled, and each applies once. Null: it was stopped.
 * Throws where it has to go on later, and goes on from there. [C-ROUTE-12]
 */
export const createReplay = (options: ReplayOptions): (() => Promise<Replayed | null>) => {
  const { journal, clock, logger, isStopped } = options
  let progress: Progress = { generation: 0, next: 1, replayed: 0, conflicts: 0, unreadable: 0 }
  let most = atOnce

  /** True where the outage is over. */
  const step = async (): Promise<boolean> => {
    const { generation, next, ...counts } = progress
    const slots = await readOn(journal, generation, next, most)
    try {
      await applyFrom(options, progress, slots)
      most = Math.min(atOnce, most * 2)
    } catch (error) {
      if (!isStoreError(error, 'unavailable') || slots.length <= 1) throw error
      // They may be more than a slow backend does in the time they have.
      most = Math.max(1, Math.floor(slots.length / 2))
      return false
    }
    if (slots.at(-1)?.record?.kind === 'end') return true
    return slots.length === 0 && journal.seal(generation, next, { at: clock.now(), ...counts })
  }

  return async () => {
    const view = await journal.view()
    if (!view) return { replayed: 0, conflicts: 0 }
    const { generation } = view
    if (progress.generation !== generation) progress = { generation, next: 1, replayed: 0, conflicts: 0, unreadable: 0 }
    for (let isOver = false; !isOver; ) {
      if (isStopped()) return null
      isOver = await step()
    }
    // What ended is read to its end by this process too.
    await journal.view()
    await journal
      .prune()
      .catch((error: unknown) => logger.debug('Old outages could not be removed', { reason: String(error) }))
    return progress
  }
}
