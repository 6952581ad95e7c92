import { type InboxTask, isJsonObject, isStoreError, type JsonValue, repairText, StoreError } from '@nexus/core'
import { z } from 'zod'
import { sha256 } from '../layout.ts'
import { isWhole, seal } from '../seal.ts'
import type { FsTools } from '../tools.ts'
import { type InboxLayout, inboxNames, type PendingName } from './inbox-layout.ts'

const Moment = z.string().transform((text, context) => {
  const at = Date.parse(text)
  if (Number.isNaN(at)) context.addIssue({ code: 'custom', message: 'is no time' })
  return at
})

const StoredRecord = z.object({
  id: z.string(),
  project: z.string(),
  workspace: z.string(),
  filename: z.string(),
  priority: z.number(),
  run_at: Moment,
  attempts: z.number(),
  recoveries: z.number(),
  max_attempts: z.number(),
  idempotency_key: z.string().nullable(),
  issue_number: z.string().nullable(),
  error: z.string().nullable(),
  cancel_requested: z.boolean(),
  created_at: Moment,
  processed_at: Moment.nullable(),
})

/** What is known of a task besides its markdown, as it was when its hold `version` ended. Times in epoch milliseconds. */
export interface TaskRecord {
  id: string
  project: string
  workspace: string
  filename: string
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
}

const iso = (at: number): string => new Date(at).toISOString()

export const encodeRecord = (record: TaskRecord): string =>
  `${JSON.stringify(
    seal({
      id: record.id,
      project: record.project,
      workspace: record.workspace,
      filename: record.filename,
      priority: record.priority,
      run_at: iso(record.runAt),
      attempts: record.attempts,
      recoveries: record.recoveries,
      max_attempts: record.maxAttempts,
      idempotency_key: record.idempotencyKey,
      issue_number: record.issueNumber,
      error: record.error,
      cancel_requested: record.cancelRequested,
      created_at: iso(record.createdAt),
      processed_at: record.processedAt === null ? null : iso(record.processedAt),
    } satisfies z.input<typeof StoredRecord>),
    null,
    2,
  )}\n`

const parsed = (text: string): z.output<typeof StoredRecord> | string => {
  try {
    const value: JsonValue = JSON.parse(text)
    if (isJsonObject(value) && !isWhole(value)) return 'it is not as it was written: its sum differs'
    const result = StoredRecord.safeParse(value)
    return result.success ? result.data : (result.error.issues[0]?.message ?? 'does not fit')
  } catch (error) {
    return error instanceof Error ? error.message : 'is not JSON'
  }
}

const decodeRecord = (bytes: Uint8Array, place: string): TaskRecord => {
  const stored = parsed(Buffer.from(bytes).toString('utf8'))
  if (typeof stored === 'string')
    throw new StoreError({
      code: 'corrupt',
      message: `${place}: the record of an inbox task is unreadable (${stored}).`,
      place,
      rev: sha256(bytes),
    })
  return {
    id: stored.id,
    project: stored.project,
    workspace: stored.workspace,
    filename: stored.filename,
    priority: stored.priority,
    runAt: stored.run_at,
    attempts: stored.attempts,
    recoveries: stored.recoveries,
    maxAttempts: stored.max_attempts,
    idempotencyKey: stored.idempotency_key,
    issueNumber: stored.issue_number,
    error: stored.error,
    cancelRequested: stored.cancel_requested,
    createdAt: stored.created_at,
    processedAt: stored.processed_at,
  }
}

export interface TaskState {
  status: 'pending' | 'processing' | 'done' | 'failed'
  claimedBy?: string | null
}

export const toTask = (record: TaskRecord, markdown: string, { status, claimedBy = null }: TaskState): InboxTask => ({
  ...record,
  markdown,
  status,
  claimedBy,
  runAt: new Date(record.runAt),
  createdAt: new Date(record.createdAt),
  processedAt: record.processedAt === null ? null : new Date(record.processedAt),
})

/** A file may hold anything; what a task hands out is text. */
export const decodeMarkdown = (bytes: Uint8Array): string =>
  repairText(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))

/**
 * The records of live tasks, one file per (id, version), created once and never changed: so a cached one is never stale,
 * and a process that was stopped for hours cannot overwrite a newer one.
 */
export interface Records {
  /** Null where there is none. Throws `corrupt` where it cannot be read. */
  load(name: PendingName): Promise<TaskRecord | null>
  create(record: TaskRecord, version: number): Promise<void>
  /** As no step of the queue does: only who moves whole tasks gives one another record in its place. */
  replace(record: TaskRecord, version: number): Promise<void>
  remove(name: PendingName): Promise<void>
  /** The record of a task that is over. */
  loadFile(path: string): Promise<TaskRecord | null>
}

const cacheSize = 4000

export const createRecords = ({ atomic, reading }: FsTools, layout: InboxLayout): Records => {
  const cache = new Map<string, TaskRecord>()
  const loadFile = async (path: string): Promise<TaskRecord | null> => {
    const file = await reading.read(path)
    return file ? decodeRecord(file.bytes, path) : null
  }
  return {
    loadFile,
    async load(name) {
      const key = inboxNames.record(name)
      const known = cache.get(key)
      if (known) return known
      const record = await loadFile(layout.record(name))
      if (record) {
        if (cache.size >= cacheSize) cache.clear()
        cache.set(key, record)
      }
      return record
    },
    async create(record, version) {
      await atomic.createOnce(layout.record({ id: record.id, version }), encodeRecord(record))
    },
    async replace(record, version) {
      const name = { id: record.id, version }
      await atomic.replace(layout.record(name), encodeRecord(record))
      cache.delete(inboxNames.record(name))
    },
    async remove(name) {
      cache.delete(inboxNames.record(name))
      await atomic.remove(layout.record(name))
    },
  }
}

/** `work`, or null where the record it needs is unreadable. */
export const unlessCorrupt = async <T>(work: () => Promise<T>, onCorrupt: (error: StoreError) => void) => {
  try {
    return await work()
  } catch (error) {
    if (!isStoreError(error, 'corrupt')) throw error
    onCorrupt(error)
    return null
  }
}
