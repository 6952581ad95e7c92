import type {
  CallOptions,
  Guard,
  HostStateEntry,
  HostStateStore,
  JsonValue,
  PatchResult,
  SaveResult,
  StatePatch,
  UpdateResult,
} from '@nexus/core'
import {
  byteOrder,
  checkName,
  encodeCursor,
  JsonDocument,
  JsonObjectDocument,
  maxUpdateTries,
  pageLimit,
  parseInput,
  parseJson,
  patchJsonText,
  type Reading,
  readable,
  readCursor,
  refusal,
} from '@nexus/core'
import { z } from 'zod'
import { bytesRev, encodeJson, modifiedOf, readDocument, type StoredDocument, textOf } from './documents.ts'
import { decideDelete } from './found.ts'
import { isVisibleName, recordName } from './layout.ts'
import { createFirst } from './paging.ts'
import type { Decision } from './revisions/revisions.ts'
import { createSlices } from './slices.ts'
import type { FsTools } from './tools.ts'

const Cursor = z.tuple([z.string()])

interface Stored {
  document: StoredDocument
  found: Reading<HostStateEntry>
}

const interpret = (key: string, document: StoredDocument): Stored => {
  const { path, rev, stat, parsed } = document
  if (!parsed.ok)
    return { document, found: { ok: false, corrupt: { name: key, place: path, reason: parsed.reason, rev } } }
  return { document, found: { ok: true, item: { key, value: parsed.value, rev, updatedAt: modifiedOf(stat) } } }
}

/** The verbs' one way to the files. */
const createEntries = ({ layout, reading, revisions, quarantine, clock }: FsTools) => {
  const read = async (key: string): Promise<Stored | null> => {
    if (!isVisibleName(`${key}.json`)) return null
    const document = await readDocument(reading, layout.hostStateFile(key))
    return document && interpret(key, document)
  }
  const keepCorrupt = async (stored: Stored | null): Promise<void> => {
    if (stored && !stored.found.ok)
      await quarantine.keep(stored.document.path, stored.document.bytes, stored.found.corrupt.reason)
  }
  return {
    read,
    keepCorrupt,
    commit: <T>(
      key: string,
      decide: (present: Stored | null) => Promise<Decision<T>>,
      options: CallOptions | undefined,
    ): Promise<T> => revisions.commit(`state/${key}`, async () => decide(await read(key)), options),
    async put(key: string, present: Stored | null, text: string) {
      if (!present) checkName('stateKey', key)
      await keepCorrupt(present)
      const bytes = Buffer.from(text)
      const base = present?.document.stat ?? null
      const change = {
        kind: 'put',
        path: layout.hostStateFile(key),
        bytes,
        modified: new Date(clock.now()),
        base,
      } as const
      return { rev: bytesRev(bytes), change }
    },
  }
}

type Entries = ReturnType<typeof createEntries>

const createSave =
  ({ commit, put }: Entries) =>
  (key: string, value: JsonValue, options: CallOptions & Guard): Promise<SaveResult> => {
    const text = encodeJson(parseInput(JsonDocument, value, `value of ${JSON.stringify(key)}`))
    return commit<SaveResult>(
      key,
      async (present) => {
        const refused = refusal(present?.found ?? null, options.ifRev)
        if (refused) {
          if (!present) checkName('stateKey', key)
          return { answer: refused }
        }
        const { rev, change } = await put(key, present, text)
        return { answer: { status: 'saved', rev }, change }
      },
      options,
    )
  }

const indented = (text: string): string => {
  const parsed = parseJson(text)
  return parsed.ok ? encodeJson(parsed.value) : text
}

const createPatch =
  ({ commit, put, keepCorrupt }: Entries) =>
  (key: string, given: StatePatch, options: CallOptions | undefined): Promise<PatchResult> => {
    const entries = parseInput(JsonObjectDocument, given.entries ?? {}, `entries for ${JSON.stringify(key)}`)
    let tries = 0
    return commit<PatchResult>(
      key,
      async (present) => {
        const current = present?.document.rev ?? null
        if (tries++ === maxUpdateTries) return { answer: { status: 'conflict', current } }
        await keepCorrupt(present)
        readable(present?.found ?? null)
        const source = present ? (textOf(present.document.bytes) ?? '') : '{}'
        const patched = patchJsonText(source, { entries, remove: given.remove })
        if (!patched.ok) return { answer: { status: 'not-object', current: current ?? '' } }
        const text = present ? patched.text : indented(patched.text)
        const { rev, change } = await put(key, present, text)
        return { answer: { status: 'saved', rev }, change }
      },
      options,
    )
  }

const createUpdate =
  ({ commit, put, keepCorrupt }: Entries) =>
  (
    key: string,
    change: (value: JsonValue | null) => JsonValue | undefined,
    options: CallOptions | undefined,
  ): Promise<UpdateResult> => {
    let tries = 0
    return commit<UpdateResult>(
      key,
      async (present) => {
        const rev = present?.document.rev ?? null
        if (tries++ === maxUpdateTries) return { answer: { status: 'conflict', current: rev } }
        await keepCorrupt(present)
        const value = change(readable(present?.found ?? null)?.value ?? null)
        if (value === undefined) return { answer: { status: 'unchanged', rev } }
        const text = encodeJson(parseInput(JsonDocument, value, `value of ${JSON.stringify(key)}`))
        const written = await put(key, present, text)
        return { answer: { status: 'saved', value, rev: written.rev }, change: written.change }
      },
      options,
    )
  }

export const createHostState = (tools: FsTools): HostStateStore => {
  const { layout, reading, revisions, checkOpen } = tools
  const entries = createEntries(tools)
  const [save, patch, update] = [createSave(entries), createPatch(entries), createUpdate(entries)]
  return {
    async load(key, options) {
      checkOpen(options)
      const stored = await revisions.settled(`state/${key}`, () => entries.read(key))
      await entries.keepCorrupt(stored)
      return readable(stored?.found ?? null)
    },
    async save(key, value, options = {}) {
      checkOpen(options)
      return save(key, value, options)
    },
    async patch(key, change, options) {
      checkOpen(options)
      return patch(key, change, options)
    },
    async update(key, change, options) {
      checkOpen(options)
      return update(key, change, options)
    },
    async delete(key, options) {
      checkOpen(options)
      return entries.commit(
        key,
        (present) => decideDelete(present?.document ?? null, options?.ifRev, () => entries.keepCorrupt(present)),
        options,
      )
    },
    async keys(request = {}, options) {
      checkOpen(options)
      const limit = pageLimit(request)
      const after = readCursor(request, Cursor)
      const first = createFirst<{ key: string }, string>({ after: after?.[0] ?? null, compare: byteOrder }, limit + 1)
      const slices = createSlices(options?.signal)
      for (const file of await reading.files(layout.hostState)) {
        if (slices.isOver()) await slices.next()
        const key = recordName.json(file)
        if (key !== null) first.offer({ key })
      }
      const items = first.rows.slice(0, limit).map(({ key }) => key)
      const last = items.at(-1)
      return {
        items,
        corrupt: [],
        cursor: last !== undefined && first.rows.length > limit ? encodeCursor([last]) : null,
      }
    },
  }
}
