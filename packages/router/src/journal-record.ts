import { createHash } from 'node:crypto'
import type { JournaledOperation, JsonObject, JsonValue } from '@nexus/core'
import { z } from 'zod'

/**
 * One slot of the journal: an operation, of a patch with the whole value that it made, or the end of the outage, after
 * which the generation takes no more.
 */
export type JournalRecord =
  | { kind: 'operation'; journaled: JournaledOperation; value?: JsonValue }
  | { kind: 'end'; at: number; replayed: number; conflicts: number; unreadable: number }

const Base = z.discriminatedUnion('known', [
  z.object({ known: z.literal('nothing') }),
  z.object({ known: z.literal('absent') }),
  z.object({ known: z.literal('value'), value: z.custom<JsonValue>() }),
])

const Operation = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('state-save'), id: z.string(), key: z.string(), value: z.custom<JsonValue>() }),
  z.object({
    kind: z.literal('state-patch'),
    id: z.string(),
    key: z.string(),
    entries: z.custom<JsonObject>(),
    remove: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('completion-save'),
    id: z.string(),
    completion: z.custom<Extract<JournaledOperation['operation'], { kind: 'completion-save' }>['completion']>(),
  }),
])

const Record = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('operation'),
    journaled: z.object({ operation: Operation, at: z.number(), sent: z.boolean(), base: Base }),
    value: z.custom<JsonValue>().optional(),
  }),
  z.object({
    kind: z.literal('end'),
    at: z.number(),
    replayed: z.number(),
    conflicts: z.number(),
    unreadable: z.number(),
  }),
])

const sumOf = (body: string): string => createHash('sha256').update(body).digest('hex')
const head = (body: string): string => `{"sha256":"${sumOf(body)}",`

/** JSON whose first member is a sum of all that follows it. */
export const encodeRecord = (record: JournalRecord): Buffer => {
  const body = JSON.stringify(record).slice(1)
  return Buffer.from(`${head(body)}${body}\n`)
}

/** Null where anything about it is not as it was written. */
export const decodeRecord = (bytes: Buffer): JournalRecord | null => {
  const text = bytes.toString('utf8')
  const body = text.slice(head('').length, -1)
  if (text !== `${head(body)}${body}\n`) return null
  // The sum says that it is JSON, and what it holds may be as deep as a document can be.
  const record = Record.safeParse(JSON.parse(text))
  return record.success ? (record.data as JournalRecord) : null
}
