import type { Logger, Operations } from '@nexus/core'
import { isStoreError } from '@nexus/core'
import type { Journal } from './journal.ts'

/** What one operation of a replay may take, in milliseconds: it waits for those who replay the same. */
const operationTimeoutMs = 5000

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

/**
 * Applies what the outage wrote, slot by slot, and ends it. It can be killed anywhere, and several processes may do it at
 * once: a slot is only sent when the one before it is settled, and each applies once. Null: it has to go on later.
 * [C-ROUTE-12]
 */
export const replay = async ({
  journal,
  operations,
  logger,
  clock,
  isStopped,
}: ReplayOptions): Promise<Replayed | null> => {
  const view = await journal.view()
  if (!view) return { replayed: 0, conflicts: 0 }
  const { generation } = view
  const counts = { replayed: 0, conflicts: 0, unreadable: 0 }

  const apply = async (slot: number): Promise<'applied' | 'missing' | 'end'> => {
    const found = await journal.read(generation, slot)
    if (!found) return 'missing'
    const { record } = found
    if (record?.kind === 'end') return 'end'
    if (!record) {
      counts.unreadable += 1
      logger.error('A record of the journal cannot be read; it is left where it is', { generation, slot })
      return 'applied'
    }
    const { status } = await operations.replay(record.journaled, { timeoutMs: operationTimeoutMs })
    counts.replayed += 1
    if (status === 'conflict') counts.conflicts += 1
    return 'applied'
  }

  try {
    for (let slot = 1; ; slot += 1) {
      if (isStopped()) return null
      const met = await apply(slot)
      if (met === 'end') break
      if (met === 'missing') {
        if (await journal.seal(generation, slot, { at: clock.now(), ...counts })) break
        slot -= 1
      }
    }
  } catch (error) {
    if (isStoreError(error, 'unavailable')) return null
    throw error
  }
  await journal.prune()
  return counts
}
