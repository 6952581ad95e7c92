import { type InboxStore, PurgeRequest, parseInput } from '@nexus/core'
import { type EndedPlace, monthOf, registerKeys } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import { unlessCorrupt } from './record.ts'

/** [C-INBOX-16] */
export const createPurge = (tools: InboxTools): InboxStore['purge'] => {
  const { places, inbox, records, atomic, identities, logger } = tools

  /** The key first and the record last: a purge that was cut off is repeated from what is left. */
  const remove = async ({ status, month, ...name }: EndedPlace, before: number): Promise<boolean> => {
    const recordFile = inbox.endedRecord(status, month, name)
    const record = await records.loadFile(recordFile)
    if (!record || (record.processedAt ?? record.createdAt) >= before) return false
    if (record.idempotencyKey !== null)
      await identities.free(registerKeys.key(record.idempotencyKey), { id: name.id, version: name.epoch })
    const removed = await atomic.remove(inbox.endedFile(status, month, name))
    await atomic.remove(recordFile)
    return removed === 'removed'
  }

  return async (request, options) => {
    tools.checkOpen(options)
    const { olderThan, status } = parseInput(PurgeRequest, request, 'purge request')
    const before = olderThan.getTime()
    await tools.finishAll()
    let purged = 0
    for (const ended of status ? [status] : (['done', 'failed'] as const))
      for (const month of (await places.months(ended)).filter((name) => name <= monthOf(before)))
        await places.endedIn(ended, month, async (found) => {
          for (const place of found) {
            const isRemoved = await unlessCorrupt(
              () => remove(place, before),
              ({ message }) => logger.warn('A task that is over cannot be purged', { id: place.id, reason: message }),
            )
            if (isRemoved) purged += 1
          }
        })
    return { purged }
  }
}
