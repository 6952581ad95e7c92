import type { Claim, InboxHint, InboxTask } from '@nexus/core'

/** A hold on a task. Its epoch is the row's. */
interface InboxHold {
  worker: string
  leaseMs: number
  /** How often it was renewed. */
  beats: number
}

export interface InboxRow {
  id: string
  /** Order of enqueueing, over all projects. */
  sequence: number
  project: string
  workspace: string
  filename: string
  markdown: string
  status: string
  priority: number
  runAt: number
  attempts: number
  recoveries: number
  maxAttempts: number
  idempotencyKey: string | null
  issueNumber: string | null
  error: string | null
  cancelRequested: boolean
  createdAt: number
  processedAt: number | null
  /** Grows with every hold, ours or foreign. */
  epoch: number
  /** Null unless one of us holds it: a foreign claim has none. */
  hold: InboxHold | null
  /** Who held it under the present epoch, also when it is over; null once it was taken from its holder. */
  lastHolder: string | null
  /** It is the one running task of its (project, issue). */
  running: boolean
}

/** What every opening of one memory backend shares. */
export interface MemoryInboxData {
  rows: Map<string, InboxRow>
  sequence: number
  /** Per project, the number of the claim that served it last. */
  served: Map<string, number>
  serving: number
  watchers: Set<(hint: InboxHint) => void>
}

export const createMemoryInboxData = (): MemoryInboxData => ({
  rows: new Map(),
  sequence: 0,
  served: new Map(),
  serving: 0,
  watchers: new Set(),
})

const hint = (data: MemoryInboxData, project: string): void => {
  for (const watcher of data.watchers) watcher({ project })
}

export type NewInboxRow = Pick<InboxRow, 'id' | 'project' | 'workspace' | 'filename' | 'markdown'> & Partial<InboxRow>

export const addInboxRow = (data: MemoryInboxData, now: number, row: NewInboxRow): InboxRow => {
  data.sequence += 1
  const added: InboxRow = {
    status: 'pending',
    priority: 0,
    runAt: now,
    attempts: 0,
    recoveries: 0,
    maxAttempts: 3,
    idempotencyKey: null,
    issueNumber: null,
    error: null,
    cancelRequested: false,
    processedAt: null,
    epoch: 0,
    hold: null,
    lastHolder: null,
    running: false,
    ...row,
    sequence: data.sequence,
    createdAt: now,
  }
  data.rows.set(added.id, added)
  hint(data, added.project)
  return added
}

/** The row that this claim holds, or null where the claim was lost. */
export const heldRow = (data: MemoryInboxData, claim: Claim): InboxRow | null => {
  const row = data.rows.get(claim.id)
  if (!row?.hold || row.status !== 'processing') return null
  return row.epoch === claim.epoch && row.hold.worker === claim.worker ? row : null
}

export const sameName = (a: InboxRow, b: Pick<InboxRow, 'project' | 'workspace' | 'filename'>): boolean =>
  a.project === b.project && a.workspace === b.workspace && a.filename === b.filename

/** Takes the hold and the running mark away; the issue number stays. */
export const letGo = (row: InboxRow, status: string): void => {
  row.status = status
  row.hold = null
  if (status === 'pending') row.lastHolder = null
  row.running = false
}

export const makePending = (data: MemoryInboxData, row: InboxRow, runAt: number): void => {
  letGo(row, 'pending')
  row.runAt = runAt
  row.processedAt = null
  hint(data, row.project)
}

export const makeFailed = (row: InboxRow, error: string, now: number): void => {
  letGo(row, 'failed')
  row.error = error
  row.processedAt = now
}

/** Back to the queue, unless a person wanted it stopped: then it ends. True where it is pending. [C-INBOX-15] */
export const giveBack = (
  data: MemoryInboxData,
  row: InboxRow,
  { runAt, now }: { runAt: number; now: number },
): boolean => {
  if (row.cancelRequested) makeFailed(row, 'cancelled', now)
  else makePending(data, row, runAt)
  return row.status === 'pending'
}

export const toTask = (row: InboxRow): InboxTask => ({
  id: row.id,
  project: row.project,
  workspace: row.workspace,
  filename: row.filename,
  markdown: row.markdown,
  status: row.status,
  priority: row.priority,
  runAt: new Date(row.runAt),
  attempts: row.attempts,
  recoveries: row.recoveries,
  maxAttempts: row.maxAttempts,
  idempotencyKey: row.idempotencyKey,
  issueNumber: row.issueNumber,
  error: row.error,
  claimedBy: row.status === 'processing' ? (row.hold?.worker ?? null) : null,
  cancelRequested: row.cancelRequested,
  createdAt: new Date(row.createdAt),
  processedAt: row.processedAt === null ? null : new Date(row.processedAt),
})
