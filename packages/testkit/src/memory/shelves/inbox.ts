import type { InboxRecord } from '@nexus/core'
import type { MemoryData } from '../data.ts'
import { addInboxRow, type InboxRow, toTask } from '../inbox-data.ts'
import { pageByNumber, type Shelf } from './shelf.ts'

const toRecord = (row: InboxRow): InboxRecord => {
  const { claimedBy: _, ...task } = toTask(row)
  const hold = row.hold && { worker: row.hold.worker, leaseMs: row.hold.leaseMs, bound: row.running }
  return { ...task, epoch: row.epoch, hold }
}

const fieldsOf = ({ hold, runAt, createdAt, processedAt, ...fields }: InboxRecord, beats: number) => ({
  ...fields,
  runAt: runAt.getTime(),
  createdAt: createdAt.getTime(),
  processedAt: processedAt?.getTime() ?? null,
  hold: hold && { worker: hold.worker, leaseMs: hold.leaseMs, beats },
  lastHolder: hold?.worker ?? null,
  running: hold?.bound ?? false,
})

export const inboxShelf = ({ inbox }: MemoryData): Shelf<'inbox'> => {
  /** Whoever has now what the record has gives it up. [C-MOVE-4] */
  const displace = ({ id, project, idempotencyKey, issueNumber, hold }: InboxRecord): void => {
    for (const row of inbox.rows.values()) {
      if (row.id === id) continue
      if (idempotencyKey !== null && row.idempotencyKey === idempotencyKey) row.idempotencyKey = null
      if (hold?.bound && row.project === project && row.issueNumber === issueNumber) row.running = false
    }
  }

  return {
    read: (page) =>
      pageByNumber(inbox.rows.values(), page, {
        number: ({ sequence }) => sequence,
        read: (row) => ({ ok: true, item: toRecord(row) }),
      }),
    find(key) {
      const row = inbox.rows.get(key)
      return row ? toRecord(row) : null
    },
    write(record) {
      displace(record)
      const present = inbox.rows.get(record.id)
      // A sweeper that knew the hold begins to watch it anew.
      const fields = fieldsOf(record, (present?.hold?.beats ?? -1) + 1)
      Object.assign(present ?? addInboxRow(inbox, record.createdAt.getTime(), fields), fields)
    },
    remove(key) {
      inbox.rows.delete(key)
    },
  }
}
