import type {
  CallOptions,
  DeleteResult,
  Guard,
  HostStateEntry,
  HostStateStore,
  JsonValue,
  PatchResult,
  Rev,
  SaveResult,
  StatePatch,
  UpdateResult,
} from '@nexus/core'
import {
  canExist,
  checkName,
  JsonDocument,
  JsonObjectDocument,
  makePage,
  maxUpdateTries,
  nameProblem,
  pageLimit,
  parseInput,
  parseJson,
  patchJsonText,
  type Reading,
  readable,
  readCursor,
  readingRev,
} from '@nexus/core'
import { z } from 'zod'
import { hashOf, isUnreadableRev, unreadableRev } from './rev.ts'
import { readDate } from './rows.ts'
import * as sql from './statements/host-state.ts'
import type { PgTools } from './tools.ts'

const Cursor = z.tuple([z.string()])

interface Stored {
  text: string
  reading: Reading<HostStateEntry>
}

const readRow = ({ key, data, updated_at, hash }: sql.HostStateRow): Reading<HostStateEntry> => {
  const parsed = parseJson(data)
  if (parsed.ok)
    return { ok: true, item: { key, value: parsed.value, rev: hash, updatedAt: readDate(updated_at) ?? new Date(0) } }
  const place = `nexus_host_state key=${key}`
  return { ok: false, corrupt: { name: key, place, reason: parsed.reason, rev: unreadableRev(hash) } }
}

const createRows = ({ run }: PgTools) => {
  const read = async (key: string, options: CallOptions): Promise<Stored | null> => {
    if (!canExist(key)) return null
    const [row] = await run(sql.loadHostState, [key], options)
    return row ? { text: row.data, reading: readRow(row) } : null
  }

  /** The rev written, or null where the content is no longer of that rev. */
  const replace = async (key: string, text: string, rev: Rev, options: CallOptions): Promise<Rev | null> => {
    const written = isUnreadableRev(rev) ? sql.replaceUnreadableHostState : sql.replaceHostState
    const [row] = canExist(key) ? await run(written, [key, text, hashOf(rev)], options) : []
    return row?.hash ?? null
  }

  const create = async (key: string, text: string, options: CallOptions): Promise<Rev | null> => {
    checkName('stateKey', key)
    const [row] = await run(sql.createHostState, [key, text], options)
    return row?.hash ?? null
  }

  /** Whatever is there, unless it cannot be read. */
  const overwrite = async (key: string, text: string, options: CallOptions): Promise<Rev | null> => {
    const present = await read(key, options)
    return present ? replace(key, text, readable(present.reading).rev, options) : create(key, text, options)
  }

  return {
    read,
    replace,
    create,
    async save(key: string, text: string, options: CallOptions): Promise<Rev | null> {
      const [row] = nameProblem('stateKey', key) === null ? await run(sql.saveHostState, [key, text], options) : []
      return row?.hash ?? overwrite(key, text, options)
    },
  }
}

type Rows = ReturnType<typeof createRows>

/** Repeats a step that answers null when another writer was faster; then names what is there now. */
const orConflict = async (
  rows: Rows,
  { key, options }: { key: string; options: CallOptions },
  step: () => Promise<SaveResult | null>,
): Promise<SaveResult> => {
  for (let tries = 0; tries < maxUpdateTries; tries += 1) {
    const done = await step()
    if (done) return done
  }
  const present = await rows.read(key, options)
  return { status: 'conflict', current: present && readingRev(present.reading) }
}

const saved = (rev: Rev | null): SaveResult | null => (rev === null ? null : { status: 'saved', rev })

const createSave =
  (rows: Rows) =>
  (key: string, value: JsonValue, { ifRev, ...options }: CallOptions & Guard) => {
    const text = JSON.stringify(parseInput(JsonDocument, value, `value of ${JSON.stringify(key)}`))
    const conflict = async (): Promise<SaveResult | null> => {
      const present = await rows.read(key, options)
      if (!present) checkName('stateKey', key)
      const current = present && readingRev(present.reading)
      return current === ifRev ? null : { status: 'conflict', current }
    }
    return orConflict(rows, { key, options }, async () => {
      if (ifRev === undefined) return saved(await rows.save(key, text, options))
      if (ifRev !== null) return saved(await rows.replace(key, text, ifRev, options)) ?? conflict()
      return (await conflict()) ?? saved(await rows.create(key, text, options))
    })
  }

const createPatch =
  (rows: Rows) =>
  async (key: string, change: StatePatch, options: CallOptions): Promise<PatchResult> => {
    parseInput(JsonObjectDocument, change.entries ?? {}, `entries for ${JSON.stringify(key)}`)
    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      const present = await rows.read(key, options)
      const rev = present && readable(present.reading).rev
      const patched = patchJsonText(present?.text ?? '{}', change)
      if (!patched.ok) return { status: 'not-object', current: rev ?? '' }
      const written = saved(
        rev === null
          ? await rows.create(key, patched.text, options)
          : await rows.replace(key, patched.text, rev, options),
      )
      if (written?.status === 'saved') return written
    }
    const present = await rows.read(key, options)
    return { status: 'conflict', current: present && readingRev(present.reading) }
  }

const createUpdate =
  (rows: Rows, save: ReturnType<typeof createSave>) =>
  async (
    key: string,
    change: (value: JsonValue | null) => JsonValue | undefined,
    options: CallOptions,
  ): Promise<UpdateResult> => {
    let current: Rev | null = null
    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      const stored = await rows.read(key, options)
      const present = stored && readable(stored.reading)
      const value = change(present?.value ?? null)
      if (value === undefined) return { status: 'unchanged', rev: present?.rev ?? null }
      const result = await save(key, value, { ...options, ifRev: present?.rev ?? null })
      if (result.status === 'saved') return { status: 'saved', value, rev: result.rev }
      current = result.current
    }
    return { status: 'conflict', current }
  }

export const createHostState = (tools: PgTools): HostStateStore => {
  const { run, checkOpen } = tools
  const rows = createRows(tools)
  const save = createSave(rows)
  const patch = createPatch(rows)
  const update = createUpdate(rows, save)

  const remove = async (key: string, { ifRev, ...options }: CallOptions & { ifRev?: Rev }): Promise<DeleteResult> => {
    for (;;) {
      const present = await rows.read(key, options)
      if (!present) return { status: 'absent' }
      const current = readingRev(present.reading)
      if (ifRev !== undefined && ifRev !== current) return { status: 'conflict', current }
      const gone = await run(sql.deleteHostState, [key, hashOf(current), isUnreadableRev(current)], options)
      if (gone.length > 0) return { status: 'deleted' }
    }
  }

  return {
    async load(key, options = {}) {
      checkOpen(options)
      const present = await rows.read(key, options)
      return present && readable(present.reading)
    },
    async save(key, value, options = {}) {
      checkOpen(options)
      return save(key, value, options)
    },
    async patch(key, change, options = {}) {
      checkOpen(options)
      return patch(key, change, options)
    },
    async update(key, change, options = {}) {
      checkOpen(options)
      return update(key, change, options)
    },
    async delete(key, options = {}) {
      checkOpen(options)
      return remove(key, options)
    },
    async keys(request = {}, options = {}) {
      checkOpen(options)
      const cursor = readCursor(request, Cursor)
      const rows = await run(sql.listHostStateKeys, [cursor?.[0] ?? null, pageLimit(request) + 1], options)
      return makePage(rows, request, { read: ({ key }) => ({ ok: true, item: key }), key: ({ key }) => [key] })
    },
  }
}
