import { basename, join } from 'node:path'
import type { Reading } from '@nexus/core'
import { type Completion, type CompletionRecord, isJsonObject, type JsonObject, parseJson } from '@nexus/core'
import { z } from 'zod'
import { documentOf, encodeJson, objectOf, readDocument, type StoredDocument } from '../documents.ts'
import { recordName, shortHash } from '../layout.ts'
import { look } from '../look.ts'
import { isWhole, seal } from '../seal.ts'
import { createSlices } from '../slices.ts'
import type { FsTools } from '../tools.ts'

/** What names a completion within its project. */
export interface Identity {
  project: string
  issueNumber: string
  agentType: string
  status: string
}

/** The record's name among the revisions. */
export const recordOf = ({ project, issueNumber, agentType, status }: Identity): string =>
  `completions/${project}/${issueNumber}:${agentType}:${status}`

/** The stored form, snake_case as everything on disk. */
const StoredCompletion = z.object({
  /** Null for one older than the order of saving. */
  seq: z.number().nullable(),
  dedup_key: z.string(),
  issue_number: z.string(),
  agent_type: z.string(),
  status: z.string(),
  summary: z.string(),
  report_id: z.string().nullable(),
  created_at: z.coerce.date(),
  saved_at: z.coerce.date(),
  /** JSON text, as the documented column has it: a payload may be as deep as a document may be. */
  data: z.string(),
})

/** A record as it lies there; `seq` orders readable ones. */
export interface StoredRecord {
  document: StoredDocument
  found: Reading<Completion>
  seq: number
  /** As it was written: its place in the order of saving, and its payload. Null where it cannot be read. */
  written: { seq: number | null; data: string } | null
}

/** Older than all that have a place in the order of saving, and among themselves by time. */
export const orderOf = (seq: number | null, createdAt: Date): number =>
  seq ?? createdAt.getTime() - Number.MAX_SAFE_INTEGER

/** What tells two records of one place in the order apart: only those that never got one of their own share it. */
export const tieOf = ({ seq, path }: { seq: number; path: string }): string => (seq > 0 ? '' : path)

export type RecordFields = Omit<CompletionRecord, 'project'> & {
  /** For who finds the record by its key alone. */
  project?: string
}

export const encodeRecord = (fields: RecordFields): Buffer =>
  Buffer.from(
    encodeJson(
      seal({
        ...(fields.project === undefined ? {} : { project: fields.project }),
        seq: fields.seq,
        dedup_key: fields.dedupKey,
        issue_number: fields.issueNumber,
        agent_type: fields.agentType,
        status: fields.status,
        summary: fields.summary,
        report_id: fields.reportId,
        created_at: fields.createdAt.toISOString(),
        saved_at: fields.savedAt.toISOString(),
        data: fields.data,
      }),
    ),
  )

type Parsed =
  | { ok: true; stored: z.output<typeof StoredCompletion>; payload: JsonObject }
  | { ok: false; reason: string }

const parse = (document: StoredDocument): Parsed => {
  const object = objectOf(document)
  if (!object.ok) return object
  if (!isWhole(object.value)) return { ok: false, reason: 'is not as it was written: its sum differs' }
  const stored = StoredCompletion.safeParse(object.value)
  const payload = stored.success ? parseJson(stored.data.data) : null
  if (!stored.success || !payload?.ok || !isJsonObject(payload.value))
    return { ok: false, reason: 'is no completion record' }
  return { ok: true, stored: stored.data, payload: payload.value }
}

export const interpret = (project: string, document: StoredDocument): StoredRecord => {
  const { path, rev } = document
  const parsed = parse(document)
  if (!parsed.ok) {
    const name = recordName.json(basename(path)) ?? path
    return {
      document,
      found: { ok: false, corrupt: { name, place: path, reason: parsed.reason, rev } },
      seq: 0,
      written: null,
    }
  }
  const { stored, payload } = parsed
  const item: Completion = {
    project,
    issueNumber: stored.issue_number,
    agentType: stored.agent_type,
    status: stored.status,
    summary: stored.summary,
    payload,
    reportId: stored.report_id,
    dedupKey: stored.dedup_key,
    createdAt: stored.created_at,
    savedAt: stored.saved_at,
    rev,
  }
  const { seq, data } = stored
  return { document, found: { ok: true, item }, seq: orderOf(seq, item.createdAt), written: { seq, data } }
}

/** Reading the records of completions; writing is `save` and `delete` of the store. */
export interface Records {
  path(identity: Identity): string
  read(identity: Identity): Promise<StoredRecord | null>
  /** Every record of one issue of one project. */
  ofIssue(project: string, issueNumber: string): Promise<StoredRecord[]>
  /** Every record in the folder of an issue. */
  inFolder(project: string, folder: string): Promise<StoredRecord[]>
  /** The record of that file. */
  at(project: string, path: string): Promise<StoredRecord | null>
}

export const createRecords = ({ layout, reading }: FsTools): Records => {
  const path = ({ project, issueNumber, agentType, status }: Identity): string =>
    join(layout.issue(project, issueNumber), `${shortHash(`${agentType}:${status}`)}.json`)

  const readPath = async (project: string, at: string): Promise<StoredRecord | null> => {
    const document = await readDocument(reading, at)
    return document && interpret(project, document)
  }

  /** With the folder held open: opening it anew for each record costs more than the record. */
  const inFolder = (project: string, folder: string): Promise<StoredRecord[]> =>
    reading.within(folder, [], async (open) => {
      const records: StoredRecord[] = []
      const slices = createSlices()
      for (const name of look.names(open)) {
        if (slices.isOver()) await slices.next()
        const file = recordName.json(name) === null ? null : look.read(open, name)
        if (file) records.push(interpret(project, documentOf(join(folder, name), file)))
      }
      return records
    })

  return {
    path,
    read: (identity) => readPath(identity.project, path(identity)),
    ofIssue: (project, issueNumber) => inFolder(project, layout.issue(project, issueNumber)),
    inFolder,
    at: readPath,
  }
}

export const latestOf = <R extends { found: { ok: boolean }; seq: number }>(records: readonly R[]): R | null =>
  records.reduce<R | null>(
    (latest, record) => (record.found.ok && (latest === null || record.seq > latest.seq) ? record : latest),
    null,
  )
