import type { ClaimedTask, InboxTask } from '@nexus/core'
import { parseInput, RetryAt } from '@nexus/core'
import { readDate } from '../rows.ts'
import type { InboxRow } from '../statements/inbox.ts'
import { publicId } from './task-ids.ts'

/** The furthest that a Date reaches, for the database's infinities. */
const furthest = 8.64e15

export const readTime = (value: Date | number): Date =>
  readDate(value) ?? new Date(Number(value) < 0 ? -furthest : furthest)

export const readTask = (row: InboxRow): InboxTask => ({
  id: publicId(row),
  project: row.project_key,
  workspace: row.workspace,
  filename: row.filename,
  markdown: row.markdown_content,
  status: row.status,
  priority: row.priority,
  runAt: readTime(row.run_at),
  attempts: row.attempts,
  recoveries: row.recoveries,
  maxAttempts: row.max_attempts,
  idempotencyKey: row.idem_key,
  issueNumber: row.issue_number,
  error: row.error,
  claimedBy: row.status === 'processing' && row.is_leased ? row.claimed_by : null,
  cancelRequested: row.cancel_requested,
  createdAt: readTime(row.created_at),
  processedAt: row.processed_at === null ? null : readTime(row.processed_at),
})

export const readClaimed = (row: InboxRow): ClaimedTask => ({
  ...readTask(row),
  claim: { id: publicId(row), epoch: row.claim_epoch, worker: row.claimed_by ?? '' },
})

/** A century: longer leases are as good as this one, and the database's times end somewhere. */
const longestLeaseMs = 100 * 365 * 24 * 3_600_000

/** Milliseconds as the statements take them. */
export const boundedLease = (leaseMs: number): number => Math.min(leaseMs, longestLeaseMs)

export const readRetryAt = (date: Date | undefined): Date | null =>
  parseInput(RetryAt, date, 'time to retry at') ?? null
