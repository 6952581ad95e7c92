import type {
  CallOptions,
  Guard,
  HostStateEntry,
  HostStateStore,
  JsonValue,
  PatchResult,
  Rev,
  SaveResult,
  StatePatch,
} from '@nexus/core'
import {
  byteOrder,
  checkName,
  contentRev,
  deleteRefusal,
  JsonDocument,
  JsonObjectDocument,
  makePage,
  maxUpdateTries,
  parseInput,
  parseJson,
  patchJsonText,
  type Reading,
  readable,
  readCursor,
  refusal,
} from '@nexus/core'
import { z } from 'zod'
import type { HostStateRow } from './data.ts'
import type { MemoryTools } from './tools.ts'

const Cursor = z.tuple([z.string()])

const readRow = (key: string, row: HostStateRow): Reading<HostStateEntry> => {
  const rev = contentRev(row.text)
  const parsed = parseJson(row.text)
  if (parsed.ok) return { ok: true, item: { key, value: parsed.value, rev, updatedAt: row.updatedAt } }
  return { ok: false, corrupt: { name: key, place: `memory host state ${key}`, reason: parsed.reason, rev } }
}

/** The verbs' one way to the rows. */
const createRows = ({ data, context }: MemoryTools) => ({
  read(key: string): Reading<HostStateEntry> | null {
    const row = data.hostState.get(key)
    return row ? readRow(key, row) : null
  },
  write(key: string, text: string): Rev {
    const present = data.hostState.get(key)
    if (!present) checkName('stateKey', key)
    else if (!parseJson(present.text).ok) data.kept.push({ place: `memory host state ${key}`, text: present.text })
    data.hostState.set(key, { text, updatedAt: new Date(context.clock.now()) })
    return contentRev(text)
  },
})

export const createMemoryHostState = (tools: MemoryTools): HostStateStore => {
  const { data, checkOpen } = tools
  const rows = createRows(tools)

  const save = (key: string, value: JsonValue, { ifRev }: Guard): SaveResult => {
    parseInput(JsonDocument, value, `value of ${JSON.stringify(key)}`)
    const text = JSON.stringify(value)
    const present = rows.read(key)
    if (!present) checkName('stateKey', key)
    return refusal(present, ifRev) ?? { status: 'saved', rev: rows.write(key, text) }
  }

  const patch = (key: string, change: StatePatch): PatchResult => {
    parseInput(JsonObjectDocument, change.entries ?? {}, `entries for ${JSON.stringify(key)}`)
    const present = readable(rows.read(key))
    const patched = patchJsonText(data.hostState.get(key)?.text ?? '{}', change)
    if (patched.ok) return { status: 'saved', rev: rows.write(key, patched.text) }
    return { status: 'not-object', current: present?.rev ?? '' }
  }

  const update: HostStateStore['update'] = async (key, change, options) => {
    for (let tries = 0; tries < maxUpdateTries; tries++) {
      checkOpen(options)
      const present = readable(rows.read(key))
      const value = change(present?.value ?? null)
      if (value === undefined) return { status: 'unchanged', rev: present?.rev ?? null }
      const saved = save(key, value, { ifRev: present?.rev ?? null })
      if (saved.status === 'saved') return { status: 'saved', value, rev: saved.rev }
    }
    const present = readable(rows.read(key))
    return { status: 'conflict', current: present?.rev ?? null }
  }

  return {
    update,
    async load(key, options) {
      checkOpen(options)
      return readable(rows.read(key))
    },
    async save(key, value, options: CallOptions & Guard = {}) {
      checkOpen(options)
      return save(key, value, options)
    },
    async patch(key, change, options) {
      checkOpen(options)
      return patch(key, change)
    },
    async delete(key, options) {
      checkOpen(options)
      const refused = deleteRefusal(rows.read(key), options?.ifRev)
      if (refused) return refused
      data.hostState.delete(key)
      return { status: 'deleted' }
    },
    async keys(request = {}, options) {
      checkOpen(options)
      const after = readCursor(request, Cursor)
      const keys = [...data.hostState.keys()].sort(byteOrder).filter((key) => !after || byteOrder(key, after[0]) > 0)
      return makePage(keys, request, { read: (item): Reading<string> => ({ ok: true, item }), key: (key) => [key] })
    },
  }
}
