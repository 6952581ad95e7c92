import type { JournalFiles } from '@nexus/core'
import { listOutages, type OutageSummary, readOutage } from '@nexus/router'
import { z } from 'zod'
import { jsonText, type Line } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import { PageCursor, type Paging } from '../cli/paging.ts'
import { table } from '../cli/table.ts'

const Outage = z.object({
  outage: z.int().describe('its number, for journal show'),
  operations: z.int(),
  unreadable: z.int(),
  bytes: z.int(),
  since: z.iso.datetime().nullable(),
  ended_at: z.iso.datetime().nullable().describe('null: it is to be applied yet'),
  replayed: z.int().nullable(),
  conflicts: z.int().nullable(),
})

/** What `journal ls --json` prints. */
export const JournalList = envelope({
  place: z.string().nullable().describe('null: this root has none'),
  outages: z.array(Outage),
})
type JournalList = z.output<typeof JournalList>

const Operation = z.object({
  slot: z.int(),
  id: z.string(),
  at: z.iso.datetime(),
  kind: z.enum(['state-save', 'state-patch', 'completion-save']),
  key: z.string().describe('of the host state, or the issue'),
  sent: z.boolean().describe('it was sent to the database before, and may have been applied'),
  operation: z.record(z.string(), z.json()).describe('all that was to be written'),
})

/** What `journal show --json` prints. */
export const JournalShown = envelope({
  outage: z.int(),
  operations: z.array(Operation),
  unreadable: z.array(z.int()).describe('slots'),
  cursor: PageCursor,
})
type JournalShown = z.output<typeof JournalShown>

const time = (at: number | null | undefined): string | null => (at == null ? null : new Date(at).toISOString())

const rowOf = ({ generation, operations, unreadable, bytes, since, end }: OutageSummary): z.output<typeof Outage> => ({
  outage: generation,
  operations,
  unreadable,
  bytes,
  since: time(since),
  ended_at: time(end?.at),
  replayed: end?.replayed ?? null,
  conflicts: end?.conflicts ?? null,
})

export const readJournal = async (files: JournalFiles | null): Promise<JournalList> => ({
  version: 1,
  place: files?.place ?? null,
  outages: files ? (await listOutages(files)).map(rowOf) : [],
})

const columns = ['outage', 'since', 'operations', 'unreadable', 'ended', 'replayed', 'conflicts'].map((heading) => ({
  heading,
}))

export const journalText = ({ outages }: JournalList): Line[] =>
  outages.length === 0
    ? ['No outage left anything.']
    : table(
        columns,
        outages.map((row) => [
          String(row.outage),
          row.since ?? '',
          String(row.operations),
          String(row.unreadable),
          row.ended_at ?? 'to be applied',
          String(row.replayed ?? ''),
          String(row.conflicts ?? ''),
        ]),
      )

/** What an outage wrote, a page at a time: the cursor is the slot before the next one. */
export const readOperations = async (
  files: JournalFiles,
  outage: number,
  { limit, cursor = '0' }: Paging,
): Promise<JournalShown> => {
  const found: JournalShown = { version: 1, outage, operations: [], unreadable: [], cursor: null }
  let last = Number(cursor)
  for await (const { slot, record } of readOutage(files, outage)) {
    if (slot <= Number(cursor) || record?.kind === 'end') continue
    if (found.operations.length + found.unreadable.length >= limit) {
      found.cursor = String(last)
      break
    }
    last = slot
    if (!record) {
      found.unreadable.push(slot)
      continue
    }
    const { operation, at, sent } = record.journaled
    const { id, kind } = operation
    const key = operation.kind === 'completion-save' ? operation.completion.issueNumber : operation.key
    const whole = z.record(z.string(), z.json()).parse(operation)
    found.operations.push({ slot, id, at: new Date(at).toISOString(), kind, key, sent, operation: whole })
  }
  return found
}

export const operationsText = ({ operations, unreadable }: JournalShown): Line[] => {
  const rows = operations.map(
    ({ slot, at, kind, key, sent, operation: { id: _id, kind: _kind, key: _key, ...what } }) => [
      String(slot),
      at,
      kind,
      key,
      sent ? 'perhaps' : 'no',
      jsonText(what),
    ],
  )
  const headings = ['slot', 'at', 'kind', 'key', 'sent'].map((heading) => ({ heading }))
  const lines = rows.length > 0 ? table([...headings, { heading: 'what', shrinks: true }], rows) : []
  if (lines.length + unreadable.length === 0) return ['Nothing.']
  return [...lines, ...unreadable.map((slot) => `slot ${slot} cannot be read`)]
}
