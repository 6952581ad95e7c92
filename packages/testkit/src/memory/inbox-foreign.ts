import { letGo, type MemoryInboxData } from './inbox-data.ts'

/** What a program that knows only the documented columns does when it changes `status`: nothing of ours can refuse it. */
export const setForeignInboxStatus = (data: MemoryInboxData, id: string, status: string, now: number): void => {
  const row = data.rows.get(id)
  if (!row || row.status === status) return
  letGo(row, status)
  // Whoever held it before must not pass for the holder of this foreign claim.
  if (status === 'processing') {
    row.epoch += 1
    row.lastHolder = null
  }
  row.processedAt = status === 'pending' || status === 'processing' ? null : now
}
