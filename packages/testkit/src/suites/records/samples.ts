import {
  type Backend,
  type CompletionRecord,
  compactJson,
  type HostStateRecord,
  type InboxRecord,
  isStoreError,
  type Records,
  recordKey,
  type StoreName,
  type StoreRecord,
  type StoreRecords,
  type TaskFileRecord,
  type WorkflowRecord,
} from '@nexus/core'
import { everyPage } from '../samples.ts'

/** Numbers that no double has, a member that nobody knows, an escape, and text that looks like white space. */
export const oddJson = '{"big":12345678901234567890,"cost":1.50,"who knows":[" ","\\u00e9\\n"],"__proto__":{"a":null}}'

export const minutes = (n: number): Date => new Date(Date.UTC(2026, 2, 4, 5, n, 7, 89))

export const workflowRecordOf = (given: Partial<WorkflowRecord> = {}): WorkflowRecord => {
  const fields = {
    id: 'alpha-7-full',
    name: 'Fix the login',
    state: 'paused',
    currentStep: 2,
    project: 'alpha',
    issueNumber: '7',
    createdAt: minutes(1),
    updatedAt: minutes(2),
    ...given,
  }
  const own = {
    id: fields.id,
    name: fields.name,
    state: fields.state,
    current_step: fields.currentStep,
    ...(fields.project !== null && { project: fields.project }),
    ...(fields.issueNumber !== null && { issue_number: fields.issueNumber }),
    created_at: fields.createdAt.toISOString(),
    updated_at: fields.updatedAt.toISOString(),
  }
  return { data: `${JSON.stringify(own).slice(0, -1)},"metadata":${oddJson}}`, ...fields }
}

export const completionRecordOf = (given: Partial<CompletionRecord> = {}): CompletionRecord => {
  const { project = 'alpha', issueNumber = '7', agentType = 'developer', status = 'complete' } = given
  return {
    dedupKey: `${issueNumber}:${agentType}:${status}`,
    project,
    issueNumber,
    agentType,
    status,
    summary: 'Login fixed — “at last”',
    reportId: 'attempt-1',
    data: oddJson,
    seq: 1,
    createdAt: minutes(3),
    savedAt: minutes(4),
    ...given,
  }
}

export const hostStateRecordOf = (given: Partial<HostStateRecord> = {}): HostStateRecord => ({
  key: 'launched_agents',
  data: oddJson,
  updatedAt: minutes(5),
  ...given,
})

export const taskFileRecordOf = (given: Partial<TaskFileRecord> = {}): TaskFileRecord => ({
  project: 'alpha',
  filename: 'login.md',
  state: 'active',
  content: '# Feature\r\n\n  Fix the login. \u{1F41E}\n',
  issueNumber: '7',
  createdAt: minutes(6),
  updatedAt: minutes(7),
  ...given,
})

export const inboxRecordOf = (given: Partial<InboxRecord> = {}): InboxRecord => ({
  id: '12',
  project: 'apollo',
  workspace: '/srv/apollo',
  filename: `task-${given.id ?? '12'}.md`,
  markdown: '# Fix the login\r\n',
  status: 'pending',
  priority: 0,
  runAt: minutes(8),
  attempts: 0,
  recoveries: 0,
  maxAttempts: 3,
  idempotencyKey: null,
  issueNumber: null,
  error: null,
  cancelRequested: false,
  createdAt: minutes(8),
  processedAt: null,
  epoch: 0,
  hold: null,
  ...given,
})

/** As another of our hosts holds it, bound to its issue. */
export const heldRecordOf = (given: Partial<InboxRecord> = {}): InboxRecord =>
  inboxRecordOf({
    status: 'processing',
    issueNumber: '7',
    epoch: 5,
    hold: { worker: 'worker-1', leaseMs: 60_000, bound: true },
    ...given,
  })

/** Of each store records in every form that all backends keep. */
export const everyRecord: { readonly [S in StoreName]: () => StoreRecords[S][] } = {
  workflows: () => [
    workflowRecordOf(),
    workflowRecordOf({ id: 'beta-7-full', state: 'waiting for rain', project: null, issueNumber: null }),
    workflowRecordOf({ id: 'gamma-1', state: 'completed', createdAt: minutes(9), updatedAt: minutes(40) }),
  ],
  completions: () => [
    completionRecordOf(),
    completionRecordOf({ project: 'beta', dedupKey: 'beta/7:developer:complete', seq: 2 }),
    completionRecordOf({ issueNumber: '8', dedupKey: '8:full:3:developer', seq: 4, reportId: null, summary: '' }),
    completionRecordOf({ agentType: 'reviewer', status: 'odd', seq: 9 }),
  ],
  hostState: () => [
    hostStateRecordOf(),
    hostStateRecordOf({ key: 'a list', data: '[1,"two",{"three":3.0}]' }),
    hostStateRecordOf({ key: 'a number', data: '12345678901234567890' }),
    hostStateRecordOf({ key: 'nothing', data: 'null', updatedAt: minutes(50) }),
  ],
  taskFiles: () => [
    taskFileRecordOf(),
    taskFileRecordOf({ state: 'closed', content: '', issueNumber: null }),
    taskFileRecordOf({ project: 'beta', createdAt: minutes(1), updatedAt: minutes(1) }),
  ],
  inbox: () => [
    inboxRecordOf({ id: '7', idempotencyKey: 'key of 7', priority: 5, runAt: minutes(59) }),
    inboxRecordOf({ id: '10', attempts: 2, error: 'it rained', recoveries: 4, maxAttempts: 9, epoch: 3 }),
    inboxRecordOf({ id: '0mf3k5q2a1b0x9k2c7yq4d1', project: 'beta', issueNumber: '3' }),
    inboxRecordOf({ id: '11', status: 'done', processedAt: minutes(30), epoch: 1, idempotencyKey: 'key of 11' }),
    inboxRecordOf({ id: '13', status: 'failed', processedAt: minutes(31), epoch: 2, error: 'no', attempts: 3 }),
    heldRecordOf({ id: '14' }),
    heldRecordOf({ id: '0mf3k5q2a1b0x9k2c7yq4d2', issueNumber: '9', cancelRequested: true, epoch: 2 }),
    heldRecordOf({ id: '15', hold: { worker: 'worker-2', leaseMs: 1500.5, bound: false } }),
  ],
}

export const recordsOf = ({ name, records }: Backend): Records => {
  if (!records) throw new Error(`The backend ${name} gives no whole records.`)
  return records
}

/** White space outside of strings says nothing. */
const compacted = <R extends StoreRecord>(record: R): R =>
  'data' in record ? { ...record, data: compactJson(record.data) } : record

export const keysOf = <S extends StoreName>(store: S, records: readonly StoreRecords[S][]): string[] =>
  records.map((record) => recordKey[store](record))

/** In the order of their keys. */
export const inKeyOrder = <S extends StoreName>(store: S, records: readonly StoreRecords[S][]): StoreRecords[S][] =>
  records.map(compacted).toSorted((a, b) => (recordKey[store](a) < recordKey[store](b) ? -1 : 1))

/** All that is there, read in pages of this size. */
export const readAll = async <S extends StoreName>(
  backend: Backend,
  store: S,
  limit = 2,
): Promise<StoreRecords[S][]> => {
  const { items } = await everyPage((page) => recordsOf(backend).read(store, page), limit)
  return inKeyOrder(store, items)
}

/** Whether the backend keeps the record; what it cannot keep it must refuse by name. */
export const isKept = async <S extends StoreName>(backend: Backend, store: S, record: StoreRecords[S]) => {
  try {
    await recordsOf(backend).write(store, [record])
    return true
  } catch (error) {
    if (isStoreError(error, 'invalid') && error.message.includes(recordKey[store](record))) return false
    throw error
  }
}
