import {
  CompletionInput,
  type Conflict,
  canExist,
  invalid,
  type JsonValue,
  makePage,
  maxUpdateTries,
  type Operations,
  pageLimit,
  parseInput,
  type Reading,
  readable,
  readCursor,
  readingRev,
  repairText,
  type StateConflict,
  StoreError,
} from '@nexus/core'
import { z } from 'zod'
import { createCompletionSave } from './completions.ts'
import { createStateWrites } from './host-state.ts'
import { type RunStatement, runWithin } from './query.ts'
import { createStateRows } from './state-rows.ts'
import * as sql from './statements/conflicts.ts'
import type { Call, PgTools } from './tools.ts'

/** Time and id. */
const Cursor = z.tuple([z.string(), z.string()])

/** What one operation leaves to be decided. */
export interface NewConflicts {
  /** Of the operation. */
  id: string
  store: Conflict['store']
  key: string
  conflicts: readonly StateConflict[]
}

const jsonText = (value: JsonValue | undefined): string | null => (value === undefined ? null : JSON.stringify(value))

export const keepConflicts = async (
  run: RunStatement,
  { id, store, key, conflicts }: NewConflicts,
  call: Call,
): Promise<void> => {
  if (conflicts.length === 0) return
  const lists = [
    conflicts.map((_, index) => `${id}-${index + 1}`),
    conflicts.map(({ member }) => jsonText(member ?? undefined)),
    conflicts.map(({ base }) => jsonText(base)),
    conflicts.map(({ ours }) => jsonText(ours)),
    conflicts.map(({ theirs }) => jsonText(theirs)),
    conflicts.map(({ reason }) => repairText(reason)),
  ]
  // A key that was refused for what it holds is shown as far as a text can.
  await run(sql.insertConflicts, [...lists, store, repairText(key)], call)
}

/** As it was written here: a report is one level deeper than a document may be. */
const readRow = (row: sql.ConflictRow): Reading<Conflict> => {
  const { id, key, reason, at } = row
  const read = (text: string | null): JsonValue | undefined => (text === null ? undefined : JSON.parse(text))
  const store = row.store === 'completions' ? 'completions' : 'hostState'
  try {
    const member = read(row.member) ?? null
    const values = { base: read(row.base), ours: read(row.ours), theirs: read(row.theirs) }
    return {
      ok: true,
      item: { id, store, key, member: member === null ? null : String(member), ...values, reason, at },
    }
  } catch (error) {
    return { ok: false, corrupt: { name: id, place: `nexus_conflicts id=${id}`, reason: String(error), rev: id } }
  }
}

/** Whatever is there by now; a copy of it is kept. */
const writeWhole = async (run: RunStatement, { key, ours }: Conflict, call: Call): Promise<void> => {
  const rows = createStateRows({ run })
  const text = JSON.stringify(ours)
  for (let tries = 0; tries < maxUpdateTries; tries += 1) {
    const present = await rows.read(key, call)
    const reason = 'replaced by the other side of a conflict'
    const rev = present
      ? await rows.replace({ key, text, rev: readingRev(present.reading), reason }, call)
      : await rows.create(key, text, call)
    if (rev !== null) return
  }
  throw new StoreError({ code: 'unavailable', message: `Others kept changing the state ${key}.` })
}

const writeMember = async (run: RunStatement, { key, member, ours }: Conflict, call: Call): Promise<void> => {
  const { patch } = createStateWrites(createStateRows({ run }))
  const name = member ?? ''
  const change = ours === undefined ? { remove: [name] } : { entries: Object.fromEntries([[name, ours]]) }
  const { status } = await patch(key, change, call)
  if (status === 'not-object') throw invalid(`The state ${key} is no object any more: it has no members to write.`)
  if (status === 'conflict')
    throw new StoreError({ code: 'unavailable', message: `Others kept changing the state ${key}.` })
}

const writeOurs = async (run: RunStatement, conflict: Conflict, call: Call): Promise<void> => {
  const { store, member, ours } = conflict
  if (store === 'hostState') return member === null ? writeWhole(run, conflict, call) : writeMember(run, conflict, call)
  await createCompletionSave({ run })(parseInput(CompletionInput, ours as CompletionInput, 'completion'), call)
}

/** What replays could not decide, until somebody does. [C-ROUTE-13] */
export const createConflicts = ({ client, run, begin }: PgTools): Pick<Operations, 'conflicts' | 'resolve'> => ({
  async conflicts(request = {}, options) {
    const call = begin(options)
    const cursor = readCursor(request, Cursor)
    const statement = sql.listConflicts({ after: cursor !== null })
    const rows = await run(statement, [pageLimit(request) + 1, ...(cursor ?? [])], call)
    return makePage(rows, request, { read: readRow, key: ({ at_text, id }) => [at_text, id] })
  },

  async resolve(id, take, options) {
    const call = begin(options)
    if (!canExist(id)) return { status: 'absent' }
    return client.transaction(async (query) => {
      const within = runWithin(query)
      const [row] = await within(sql.takeConflict, [id], call)
      if (!row) return { status: 'absent' } as const
      if (take === 'ours') await writeOurs(within, readable(readRow(row)), call)
      return { status: 'resolved' } as const
    }, call)
  },
})
