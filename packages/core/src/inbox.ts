import { z } from 'zod'
import type { CallOptions } from './call.ts'
import type { Count } from './count.ts'
import type { Page, PageRequest } from './page.ts'
import { StorableText } from './text.ts'

export const inboxStatuses = ['pending', 'processing', 'done', 'failed'] as const
/** `failed` is the dead letter. */
export type InboxStatus = (typeof inboxStatuses)[number]

export const EnqueueTask = z.object({
  project: StorableText,
  /** Workspace path; part of the identity. */
  workspace: StorableText.default(''),
  filename: StorableText,
  markdown: StorableText,
  /** -100 to 100; the higher goes first. */
  priority: z.int().min(-100).max(100).default(0),
  /** Not before this; at once unless given. */
  runAt: z.date().optional(),
  /** How many `fail` calls a task survives before it is a dead letter, plus one. */
  maxAttempts: z.int().min(1).max(1000).default(3),
  /** The caller's own identity for the task, held until purge; else (project, workspace, filename) while it lives. */
  idempotencyKey: StorableText.min(1).max(512).nullable().default(null),
  issueNumber: StorableText.nullable().default(null),
})
export type EnqueueTask = z.input<typeof EnqueueTask>

export interface InboxTask {
  id: string
  project: string
  workspace: string
  filename: string
  markdown: string
  /** One of `inboxStatuses`, or what another program wrote. */
  status: string
  priority: number
  runAt: Date
  /** How often it failed. */
  attempts: number
  /** How often it was taken back from a holder that was gone. */
  recoveries: number
  maxAttempts: number
  idempotencyKey: string | null
  issueNumber: string | null
  /** The last failure, or why it was cancelled. */
  error: string | null
  /** While `processing` by us: who holds it. Null for a foreign claim, which no sweep touches. */
  claimedBy: string | null
  cancelRequested: boolean
  createdAt: Date
  /** When it was done or failed, or another program took it off the queue with a status of its own. */
  processedAt: Date | null
}

/** The fencing token of one hold on one task: only the latest epoch may change it. */
export interface Claim {
  id: string
  epoch: number
  worker: string
}

export interface ClaimedTask extends InboxTask {
  claim: Claim
}

export const Lease = z.object({
  worker: StorableText.min(1),
  /** How long the claim holds without a heartbeat, in milliseconds. */
  leaseMs: z.number().positive(),
})
export type Lease = z.input<typeof Lease>

export const ResumeRequest = Lease.extend({
  /** The ids of all tasks that this worker holds, as far as it knows. */
  held: z.array(z.string()).readonly().optional(),
})
export type ResumeRequest = z.input<typeof ResumeRequest>

/** Whether the one who resumes holds the task and does not know it: the answer of its claim was lost. */
export const isUnheard = ({ worker, held }: ResumeRequest, task: { id: string; worker: string }): boolean =>
  held !== undefined && task.worker === worker && !held.includes(task.id)

export const ClaimRequest = Lease.extend({
  /** Tasks at most. */
  limit: z.int().min(1),
  /** Only from these projects. */
  projects: z.array(z.string()).readonly().optional(),
  /** Most tasks of one project in `processing`, those that already are included. */
  maxPerProject: z.int().min(1).optional(),
})
export type ClaimRequest = z.input<typeof ClaimRequest>

export const PurgeRequest = z.object({ olderThan: z.date(), status: z.enum(['done', 'failed']).optional() })
export type PurgeRequest = z.input<typeof PurgeRequest>

/** When a task is to be tried again, where the holder says. */
export const RetryAt = z.date().optional()

export type EnqueueResult = { status: 'enqueued' | 'duplicate'; id: string }
export type LeaseLost = { status: 'lease-lost' }
export type FailResult = { status: 'retrying'; runAt: Date; attempts: number } | { status: 'failed'; attempts: number }

export interface InboxFilter extends PageRequest {
  status?: string | undefined
  project?: string | undefined
}

export interface InboxCounts {
  pending: number
  processing: number
  done: Count
  failed: Count
}

/** A hint that something may be claimable; a poll finds what it misses. `project` null: unknown which. */
export interface InboxHint {
  project: string | null
}

/** The task queue (specification: `nexus_inbox_queue`). */
export interface InboxStore {
  /**
   * One answer per task, in order. A chunk that throws may have been stored in part; repeating the call is safe.
   * [C-INBOX-1, C-INBOX-2]
   */
  enqueue(tasks: readonly EnqueueTask[], options?: CallOptions): Promise<EnqueueResult[]>

  /**
   * Takes due tasks: fair across projects; within one by priority, then `runAt`, then order of enqueueing. At most one
   * live claim per task, and per (project, workspace, filename). [C-INBOX-3..6]
   */
  claim(request: ClaimRequest, options?: CallOptions): Promise<ClaimedTask[]>

  /**
   * Stores the task's issue number and makes it the only running task of that (project, issue). Idempotent; the last
   * number bound under the claim counts, and the former issue is free at once. [C-INBOX-13]
   */
  bind(
    claim: Claim,
    binding: { issueNumber: string },
    options?: CallOptions,
  ): Promise<{ status: 'bound'; issueNumber: string } | { status: 'busy' } | LeaseLost>

  /** Renews leases; says which are lost and which a person wants stopped. [C-INBOX-8] */
  heartbeat(claims: readonly Claim[], options?: CallOptions): Promise<{ lost: Claim[]; cancelRequested: Claim[] }>

  /** Idempotent for the claim that did it. [C-INBOX-7] */
  complete(claim: Claim, options?: CallOptions): Promise<{ status: 'done' } | LeaseLost>

  /**
   * Counts an attempt; back to pending at `retryAt` (exponential backoff with jitter unless given), or `failed` when
   * `fatal` or out of attempts. [C-INBOX-9]
   */
  fail(
    claim: Claim,
    error: string,
    options?: CallOptions & { retryAt?: Date; fatal?: boolean },
  ): Promise<FailResult | LeaseLost>

  /** Gives it back uncounted, due at once or at `retryAt`. The issue number stays, its running mark goes. [C-INBOX-10] */
  release(claim: Claim, options?: CallOptions & { retryAt?: Date }): Promise<{ status: 'released' } | LeaseLost>

  /**
   * Takes over, with a new epoch, the claims of holders that are provably dead, and where `held` is given those of this
   * worker that are not among it. Counts a recovery. [C-INBOX-12]
   */
  resume(request: ResumeRequest, options?: CallOptions): Promise<ClaimedTask[]>

  /**
   * Frees claims whose epoch and heartbeat this store has itself seen unchanged for their lease time. Call it every few
   * seconds. Beyond 20 recoveries a task is `failed`. [C-INBOX-11]
   */
  sweep(options?: CallOptions): Promise<{ freed: string[]; failed: string[] }>

  /** A dead letter, or a foreign claim that no lease watches, becomes pending with its counters at zero. [C-INBOX-14] */
  requeue(
    id: string,
    options?: CallOptions,
  ): Promise<
    { status: 'requeued' | 'absent' } | { status: 'duplicate'; id: string } | { status: 'refused'; is: string }
  >

  /** Pending: `failed` at once. Processing: its holder is asked. [C-INBOX-15] */
  cancel(
    id: string,
    options?: CallOptions,
  ): Promise<{ status: 'cancelled' | 'requested' | 'absent' } | { status: 'refused'; is: string }>

  load(id: string, options?: CallOptions): Promise<InboxTask | null>

  counts(options?: CallOptions): Promise<InboxCounts>

  /** Since when the pending task has been due that has been due for longest; null where none is due. [C-INBOX-21] */
  oldestDue(options?: CallOptions): Promise<Date | null>

  /** Newest created first. */
  list(filter?: InboxFilter, options?: CallOptions): Promise<Page<InboxTask>>

  /** Removes what was done or failed before that moment, and frees its idempotency keys. [C-INBOX-16] */
  purge(request: PurgeRequest, options?: CallOptions): Promise<{ purged: number }>

  /** Ends when the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<InboxHint>
}

/** Recoveries beyond which a task is taken for a crash loop and becomes a dead letter. */
export const maxRecoveries = 20

/** Delay before try n+1 in milliseconds: 1 s doubling to 5 min, the upper half random. `random` in [0, 1). */
export const retryDelayMs = (attempts: number, random: number): number => {
  const full = Math.min(300_000, 1000 * 2 ** Math.min(attempts - 1, 20))
  return Math.round(full / 2 + (full / 2) * random)
}
