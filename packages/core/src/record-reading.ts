import type { StoreName } from './backend.ts'
import { invalid } from './errors.ts'
import { isJsonObject, type JsonObject, type JsonValue, maxJsonDepth, parseJson } from './json.ts'
import { compactJson, patchJsonText } from './json-patch.ts'
import { maxPageLimit } from './page.ts'
import { recordKey, type StoreRecords, type WorkflowRecord } from './record.ts'
import { textProblem } from './text.ts'
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

const maxPlain = 100_000

/** Text that is certainly no deeper and holds no greater number than a document may; only other text is walked through. */
const isPlainly = (text: string): boolean =>
  text.length <= maxPlain &&
  !/[eE]\+?\d{3}|\d{250}/.test(text) &&
  (text.length <= maxJsonDepth || (text.match(/[[{]/g)?.length ?? 0) <= maxJsonDepth)

/** Why the text is no JSON document that every backend reads, or null. */
export const jsonTextProblem = (text: string, kind: 'any' | 'object' = 'any'): string | null => {
  if (isPlainly(text))
    try {
      const value: unknown = JSON.parse(text)
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
      return kind === 'any' || isObject ? null : 'is not a JSON object'
    } catch {
      // Said in the words of the one that reads documents.
    }
  const parsed = parseJson(text)
  if (!parsed.ok) return parsed.reason
  return kind === 'any' || isJsonObject(parsed.value) ? null : 'is not a JSON object'
}

/** Why a field cannot be kept, or null. By hand and not by a schema: a million records go through here. */
type Check = (value: unknown) => string | null

const text: Check = (value) => (typeof value === 'string' ? textProblem(value) : 'is no text')
const word: Check = (value) => (value === '' ? 'is empty' : text(value))
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? null : check(value)
const date: Check = (value) => (value instanceof Date && !Number.isNaN(value.getTime()) ? null : 'is no date')
const flag: Check = (value) => (typeof value === 'boolean' ? null : 'is neither true nor false')
const whole =
  (least: number, most: number): Check =>
  (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most
      ? null
      : `is no whole number from ${least} to ${most}`
const int = whole(-(2 ** 31), 2 ** 31 - 1)
const count = whole(0, 2 ** 31 - 1)
const json =
  (kind: 'any' | 'object'): Check =>
  (value) =>
    typeof value === 'string' ? (textProblem(value) ?? jsonTextProblem(value, kind)) : 'is no text'
const hold: Check = (value) => {
  if (typeof value !== 'object' || value === null) return 'is no hold'
  if (Object.keys(value).some((member) => !['worker', 'leaseMs', 'bound'].includes(member)))
    return 'has a member too many'
  const { worker, leaseMs, bound } = { worker: null, leaseMs: null, bound: null, ...value }
  const isLease = typeof leaseMs === 'number' && Number.isFinite(leaseMs) && leaseMs > 0
  return word(worker) ?? (isLease ? flag(bound) : 'has a lease that is no time')
}

const checks: { readonly [S in StoreName]: { readonly [F in keyof StoreRecords[S]]: Check } } = {
  workflows: {
    id: word,
    name: text,
    state: text,
    currentStep: int,
    project: orNull(text),
    issueNumber: orNull(text),
    data: json('object'),
    createdAt: date,
    updatedAt: date,
  },
  completions: {
    dedupKey: word,
    project: orNull(text),
    issueNumber: text,
    agentType: text,
    status: text,
    summary: text,
    reportId: orNull(text),
    data: json('object'),
    seq: orNull(whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
    createdAt: date,
    savedAt: date,
  },
  hostState: { key: word, data: json('any'), updatedAt: date },
  taskFiles: {
    project: text,
    filename: text,
    state: text,
    content: text,
    issueNumber: orNull(text),
    createdAt: date,
    updatedAt: date,
  },
  inbox: {
    id: word,
    project: text,
    workspace: text,
    filename: text,
    markdown: text,
    status: text,
    priority: whole(-32_768, 32_767),
    runAt: date,
    attempts: int,
    recoveries: int,
    maxAttempts: int,
    idempotencyKey: orNull(text),
    issueNumber: orNull(text),
    error: orNull(text),
    cancelRequested: flag,
    createdAt: date,
    processedAt: orNull(date),
    epoch: count,
    hold: orNull(hold),
  },
}

const problemOf = (store: StoreName, record: object): string | null => {
  const fields = record as Readonly<Record<string, unknown>>
  for (const [field, check] of Object.entries<Check>(checks[store])) {
    const problem = check(fields[field])
    if (problem !== null) return `${field} ${problem}`
  }
  return null
}

/** Reads a record of a value from anywhere: it has all the fields of its store, in a form that can be kept, and no others. */
export const parseRecord = <S extends StoreName>(
  store: S,
  value: object,
): { ok: true; record: StoreRecords[S] } | { ok: false; reason: string } => {
  const strange = Object.keys(value).find((member) => !Object.hasOwn(checks[store], member))
  if (strange !== undefined)
    return { ok: false, reason: `has a member ${JSON.stringify(strange.slice(0, 60))} too many` }
  const problem = problemOf(store, value)
  return problem === null ? { ok: true, record: value as StoreRecords[S] } : { ok: false, reason: problem }
}

/** Records as they are given to a backend: each with all its fields in a form that can be kept, the last of one key. */
export const readRecords = <S extends StoreName>(store: S, records: readonly StoreRecords[S][]): StoreRecords[S][] => {
  checkCount(records.length)
  const byKey = new Map<string, StoreRecords[S]>()
  for (const record of records) {
    const problem = problemOf(store, record)
    if (problem !== null) throw unfit(store, record, problem)
    byKey.set(recordKey[store](record), record)
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
