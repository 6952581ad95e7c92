import type {
  DeleteResult,
  Guard,
  HostStateStore,
  JsonValue,
  PatchResult,
  Rev,
  SaveResult,
  StatePatch,
  UpdateResult,
} from '@nexus/core'
import {
  checkName,
  JsonDocument,
  JsonObjectDocument,
  makePage,
  maxUpdateTries,
  pageLimit,
  parseInput,
  patchJsonText,
  readable,
  readCursor,
  readingRev,
} from '@nexus/core'
import { z } from 'zod'
import { hashOf, isUnreadableRev } from './rev.ts'
import { createStateRows, type StateRows } from './state-rows.ts'
import * as sql from './statements/host-state.ts'
import type { Call, PgTools } from './tools.ts'

const Cursor = z.tuple([z.string()])

/** Repeats a step that answers null when another writer was faster; then names what is there now. */
const orConflict = async (
  rows: StateRows,
  { key, call }: { key: string; call: Call },
  step: () => Promise<SaveResult | null>,
): Promise<SaveResult> => {
  for (let tries = 0; tries < maxUpdateTries; tries += 1) {
    const done = await step()
    if (done) return done
  }
  const present = await rows.read(key, call)
  return { status: 'conflict', current: present && readingRev(present.reading) }
}

const saved = (rev: Rev | null): SaveResult | null => (rev === null ? null : { status: 'saved', rev })

const createSave =
  (rows: StateRows) =>
  (key: string, value: JsonValue, { ifRev, ...call }: Call & Guard) => {
    const text = JSON.stringify(parseInput(JsonDocument, value, `value of ${JSON.stringify(key)}`))
    const conflict = async (): Promise<SaveResult | null> => {
      const present = await rows.read(key, call)
      if (!present) checkName('stateKey', key)
      const current = present && readingRev(present.reading)
      return current === ifRev ? null : { status: 'conflict', current }
    }
    return orConflict(rows, { key, call }, async () => {
      if (ifRev === undefined) return saved(await rows.save(key, text, call))
      if (ifRev !== null) return saved(await rows.replace({ key, text, rev: ifRev }, call)) ?? conflict()
      return (await conflict()) ?? saved(await rows.create(key, text, call))
    })
  }

const createPatch =
  (rows: StateRows) =>
  async (key: string, change: StatePatch, call: Call): Promise<PatchResult> => {
    parseInput(JsonObjectDocument, change.entries ?? {}, `entries for ${JSON.stringify(key)}`)
    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      const present = await rows.read(key, call)
      const rev = present && readable(present.reading).rev
      const patched = patchJsonText(present?.text ?? '{}', change)
      if (!patched.ok) return { status: 'not-object', current: rev ?? '' }
      const written = saved(
        rev === null
          ? await rows.create(key, patched.text, call)
          : await rows.replace({ key, text: patched.text, rev }, call),
      )
      if (written?.status === 'saved') return written
    }
    const present = await rows.read(key, call)
    return { status: 'conflict', current: present && readingRev(present.reading) }
  }

const createUpdate =
  (rows: StateRows, save: ReturnType<typeof createSave>) =>
  async (
    key: string,
    change: (value: JsonValue | null) => JsonValue | undefined,
    call: Call,
  ): Promise<UpdateResult> => {
    let current: Rev | null = null
    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      const stored = await rows.read(key, call)
      const present = stored && readable(stored.reading)
      const value = change(present?.value ?? null)
      if (value === undefined) return { status: 'unchanged', rev: present?.rev ?? null }
      const result = await save(key, value, { ...call, ifRev: present?.rev ?? null })
      if (result.status === 'saved') return { status: 'saved', value, rev: result.rev }
      current = result.current
    }
    return { status: 'conflict', current }
  }

/** The verbs that may be operations. */
export const createStateWrites = (rows: StateRows) => ({ save: createSave(rows), patch: createPatch(rows) })

export const createHostState = (tools: PgTools): HostStateStore => {
  const { run, begin } = tools
  const rows = createStateRows(tools)
  const { save, patch } = createStateWrites(rows)
  const update = createUpdate(rows, save)

  const remove = async (key: string, { ifRev, ...call }: Call & { ifRev?: Rev | undefined }): Promise<DeleteResult> => {
    for (;;) {
      const present = await rows.read(key, call)
      if (!present) return { status: 'absent' }
      const current = readingRev(present.reading)
      if (ifRev !== undefined && ifRev !== current) return { status: 'conflict', current }
      const gone = await run(sql.deleteHostState, [key, hashOf(current), isUnreadableRev(current)], call)
      if (gone.length > 0) return { status: 'deleted' }
    }
  }

  return {
    async load(key, options) {
      const present = await rows.load(key, begin(options))
      return present && readable(present.reading)
    },
    async save(key, value, options) {
      return save(key, value, { ...begin(options), ifRev: options?.ifRev })
    },
    async patch(key, change, options) {
      return patch(key, change, begin(options))
    },
    async update(key, change, options) {
      return update(key, change, begin(options))
    },
    async delete(key, options) {
      return remove(key, { ...begin(options), ifRev: options?.ifRev })
    },
    async keys(request = {}, options) {
      const call = begin(options)
      const cursor = readCursor(request, Cursor)
      const rows = await run(sql.listHostStateKeys, [cursor?.[0] ?? null, pageLimit(request) + 1], call)
      return makePage(rows, request, { read: ({ key }) => ({ ok: true, item: key }), key: ({ key }) => [key] })
    },
  }
}
