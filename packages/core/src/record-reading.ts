import { z } from 'zod'
import type { StoreName } from './backend.ts'
import { invalid } from './errors.ts'
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from './json.ts'
import { compactJson, patchJsonText } from './json-patch.ts'
import { maxPageLimit } from './page.ts'
import { recordKey, type StoreRecords, type WorkflowRecord } from './record.ts'
import { StorableText, textProblem } from './text.ts'
import { dateOf, type WorkflowColumns, workflowFromStored } from './workflow-document.ts'

export type RecordReading = { ok: true; record: WorkflowRecord } | { ok: false; reason: string }

const isSame = (present: JsonValue | undefined, value: JsonValue): boolean => present === value

const saysDate = (present: JsonValue | undefined, date: Date): boolean => dateOf(present)?.getTime() === date.getTime()

/** The members in which the document says something else than the columns. */
const disagreeing = (document: JsonObject, workflow: Omit<WorkflowRecord, 'data'>): JsonObject => {
  const members: JsonObject = {
    id: workflow.id,
    name: workflow.name,
    state: workflow.state,
    current_step: workflow.currentStep,
  }
  const times = { created_at: workflow.createdAt, updated_at: workflow.updatedAt }
  return {
    ...Object.fromEntries(Object.entries(members).filter(([member, value]) => !isSame(document[member], value))),
    ...Object.fromEntries(
      Object.entries(times)
        .filter(([member, date]) => !saysDate(document[member], date))
        .map(([member, date]) => [member, date.toISOString()]),
    ),
  }
}

/**
 * The record that columns and document text make together. Where they disagree the text is given the columns' words, so
 * that a backend which has no columns keeps the same record. [C-ALL-10]
 */
export const workflowRecord = (columns: WorkflowColumns, text: string): RecordReading => {
  const parsed = parseJson(text)
  if (!parsed.ok) return parsed
  if (!isJsonObject(parsed.value)) return { ok: false, reason: 'is not a JSON object' }
  const { data: _, ...fields } = workflowFromStored(columns, parsed.value)
  const members = disagreeing(parsed.value, fields)
  const patched = Object.keys(members).length === 0 ? null : patchJsonText(text, { entries: members })
  return { ok: true, record: { ...fields, data: compactJson(patched?.ok ? patched.text : text) } }
}

const Time = z.date()
const Text = StorableText
const problemOf = (text: string, isObject: boolean): string | null => {
  const parsed = parseJson(text)
  if (!parsed.ok) return parsed.reason
  return isObject && !isJsonObject(parsed.value) ? 'is not a JSON object' : textProblem(text)
}

const jsonText = (isObject: boolean) =>
  z.string().superRefine((text, context) => {
    const problem = problemOf(text, isObject)
    if (problem) context.addIssue({ code: 'custom', message: problem })
  })

const schemas: { readonly [S in StoreName]: z.ZodType<StoreRecords[S]> } = {
  workflows: z.object({
    id: Text,
    name: Text,
    state: Text,
    currentStep: z.int32(),
    project: Text.nullable(),
    issueNumber: Text.nullable(),
    data: jsonText(true),
    createdAt: Time,
    updatedAt: Time,
  }),
  completions: z.object({
    dedupKey: Text,
    project: Text.nullable(),
    issueNumber: Text,
    agentType: Text,
    status: Text,
    summary: Text,
    reportId: Text.nullable(),
    data: jsonText(true),
    seq: z.int().nullable(),
    createdAt: Time,
    savedAt: Time,
  }),
  hostState: z.object({ key: Text, data: jsonText(false), updatedAt: Time }),
  taskFiles: z.object({
    project: Text,
    filename: Text,
    state: Text,
    content: Text,
    issueNumber: Text.nullable(),
    createdAt: Time,
    updatedAt: Time,
  }),
  inbox: z.object({
    id: Text.min(1),
    project: Text,
    workspace: Text,
    filename: Text,
    markdown: Text,
    status: Text,
    priority: z.int().min(-32_768).max(32_767),
    runAt: Time,
    attempts: z.int32(),
    recoveries: z.int32(),
    maxAttempts: z.int32(),
    idempotencyKey: Text.nullable(),
    issueNumber: Text.nullable(),
    error: Text.nullable(),
    cancelRequested: z.boolean(),
    createdAt: Time,
    processedAt: Time.nullable(),
    epoch: z.int32().min(0),
    hold: z.object({ worker: Text.min(1), leaseMs: z.number().positive(), bound: z.boolean() }).nullable(),
  }),
}

/** Records as they are given to a backend: each with all its fields in a form that can be kept, the last of one key. */
export const readRecords = <S extends StoreName>(store: S, records: readonly StoreRecords[S][]): StoreRecords[S][] => {
  checkCount(records.length)
  const schema: z.ZodType<StoreRecords[S]> = schemas[store]
  const byKey = new Map<string, StoreRecords[S]>()
  for (const record of records) {
    const parsed = schema.safeParse(record)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw unfit(store, record, `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'does not fit'}`)
    }
    byKey.set(recordKey[store](record), parsed.data)
  }
  return [...byKey.values()]
}

/** What a backend throws for a record that it cannot keep. [C-MOVE-2] */
export const unfit = <S extends StoreName>(store: S, record: StoreRecords[S], reason: string) =>
  invalid(`The record ${recordKey[store](record)} of ${store} cannot be kept here: ${reason}.`)

/** Keys or records of one call. */
export const checkCount = (count: number): void => {
  if (count > maxPageLimit) throw invalid(`${count} records in one call: give at most ${maxPageLimit}.`)
}
