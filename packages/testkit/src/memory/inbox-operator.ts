import { type InboxStore, PurgeRequest, parseInput } from '@nexus/core'
import { makeFailed, makePending } from './inbox-data.ts'
import { identityHolder } from './inbox-enqueue.ts'
import type { MemoryInboxTools } from './inbox-tools.ts'

/** What a person does to the queue. [C-INBOX-14..16] */
export type OperatorVerbs = Pick<InboxStore, 'requeue' | 'cancel' | 'purge'>

export const createOperatorVerbs = ({ data, clock, checkOpen }: MemoryInboxTools): OperatorVerbs => ({
  async requeue(id, options) {
    checkOpen(options)
    const row = data.rows.get(id)
    if (!row) return { status: 'absent' }
    const isForeignClaim = row.status === 'processing' && row.hold === null
    if (row.status !== 'failed' && !isForeignClaim) return { status: 'refused', is: row.status }
    const twin = identityHolder(
      [...data.rows.values()].filter((other) => other !== row),
      row,
    )
    if (twin) return { status: 'duplicate', id: twin.id }
    row.attempts = 0
    row.recoveries = 0
    row.cancelRequested = false
    makePending(data, row, clock.now())
    return { status: 'requeued' }
  },

  async cancel(id, options) {
    checkOpen(options)
    const row = data.rows.get(id)
    if (!row) return { status: 'absent' }
    if (row.status === 'pending') {
      makeFailed(row, 'cancelled', clock.now())
      return { status: 'cancelled' }
    }
    if (row.status !== 'processing') return { status: 'refused', is: row.status }
    row.cancelRequested = true
    return { status: 'requested' }
  },

  async purge(request, options) {
    checkOpen(options)
    const { olderThan, status } = parseInput(PurgeRequest, request, 'purge request')
    const ended = [...data.rows.values()].filter(
      (row) =>
        (status === undefined ? row.status === 'done' || row.status === 'failed' : row.status === status) &&
        (row.processedAt ?? row.createdAt) < olderThan.getTime(),
    )
    for (const { id } of ended) data.rows.delete(id)
    return { purged: ended.length }
  },
})
