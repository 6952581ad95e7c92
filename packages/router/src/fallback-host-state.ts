import {
  byteOrder,
  checkName,
  encodeCursor,
  type HostStateEntry,
  type HostStateStore,
  type Ids,
  isJsonObject,
  JsonDocument,
  JsonObjectDocument,
  type JsonValue,
  nameProblem,
  type Page,
  type PatchResult,
  pageLimit,
  parseInput,
  parseJson,
  patchJsonText,
  type Rev,
  readCursor,
  type SaveResult,
  type StateBase,
  type StateOperation,
  type StatePatch,
  StoreError,
} from '@nexus/core'
import { z } from 'zod'
import type { Journal } from './journal.ts'
import type { JournalView, KnownState } from './journal-view.ts'
import type { LastKnown } from './last-known.ts'
import type { Outage } from './outage.ts'

const Cursor = z.tuple([z.string()])

export interface FallbackTools {
  outage: Outage
  ids: Ids
  now(): number
}

export interface HostStateTools extends FallbackTools {
  lastKnown: LastKnown
}

const unseen = (key: string): StoreError =>
  new StoreError({
    code: 'unavailable',
    message: `The host state ${JSON.stringify(key)} was not seen before the database went away; it is known again when it is back.`,
  })

const parsed = (text: string): JsonValue => {
  const read = parseJson(text)
  if (!read.ok) throw new Error(`a remembered value ${read.reason}`)
  return read.value
}

/** What a whole save would replace. */
const wholeBase = (state: KnownState | null): StateBase => {
  if (!state) return { known: 'nothing' }
  return state.text === null ? { known: 'absent' } : { known: 'value', value: parsed(state.text) }
}

/** What a patch would replace: the members that it names. */
const memberBase = (text: string | null, { entries = {}, remove = [] }: StatePatch): StateBase => {
  const value = text === null ? null : parsed(text)
  if (!isJsonObject(value ?? undefined)) return { known: 'absent' }
  const named = new Set([...Object.keys(entries), ...remove])
  const members = Object.entries(value ?? {}).filter(([member]) => named.has(member))
  return { known: 'value', value: Object.fromEntries(members) }
}

const revOf = (id: string): Rev => `journal-${id}`

/** Writing to the journal: what the outage made of a key comes first, then what was known when it began. */
const createJournaled = ({ now, lastKnown }: HostStateTools) => {
  const known = (view: JournalView | null, key: string): KnownState | null =>
    view?.states.get(key) ?? lastKnown.get(key)

  const recordOf = (operation: StateOperation, sent: boolean, base: StateBase) => ({
    journaled: { operation, at: now(), sent, base },
  })

  return {
    known,
    save: (journal: Journal, { id, key, value, sent }: { id: string; key: string; value: JsonValue; sent: boolean }) =>
      journal.append<SaveResult>((view) => {
        const state = known(view, key)
        // A name that we would not give may be there all the same, and that cannot be asked now.
        if (!state && nameProblem('stateKey', key) !== null) throw unseen(key)
        if (state?.text === null) checkName('stateKey', key)
        return {
          answer: { status: 'saved', rev: revOf(id), journaled: true },
          record: recordOf({ id, kind: 'state-save', key, value }, sent, wholeBase(state)),
        }
      }),
    patch: (
      journal: Journal,
      { id, key, change, sent }: { id: string; key: string; change: StatePatch; sent: boolean },
    ) =>
      journal.append<PatchResult>((view) => {
        const state = known(view, key)
        if (!state) throw unseen(key)
        if (state.text === null) checkName('stateKey', key)
        const patched = patchJsonText(state.text ?? '{}', change)
        if (!patched.ok) return { answer: { status: 'not-object', current: state.rev }, record: null }
        const { entries = {}, remove = [] } = change
        const operation = { id, kind: 'state-patch', key, entries, remove } as const
        return {
          answer: { status: 'saved', rev: revOf(id), journaled: true },
          record: { ...recordOf(operation, sent, memberBase(state.text, change)), value: parsed(patched.text) },
        }
      }),
  }
}

type Journaled = ReturnType<typeof createJournaled>

const createReads = (
  { outage, lastKnown }: HostStateTools,
  { known }: Journaled,
): Pick<HostStateStore, 'load' | 'keys'> => ({
  load: (key, options) =>
    outage.read<HostStateEntry | null>({
      options,
      async direct({ hostState }, bounded) {
        const mark = lastKnown.mark(key)
        const entry = await hostState.load(key, bounded)
        lastKnown.loaded(mark, entry)
        return entry
      },
      overlay(view) {
        const state = known(view, key)
        if (!state) throw unseen(key)
        const { text, rev, updatedAt } = state
        return text === null ? null : { key, value: parsed(text), rev, updatedAt, stale: true }
      },
    }),
  keys: (request = {}, options) =>
    outage.read<Page<string>>({
      options,
      direct: ({ hostState }, bounded) => hostState.keys(request, bounded),
      overlay(view) {
        const after = readCursor(request, Cursor)?.[0] ?? null
        const all = [...new Set([...lastKnown.keys(), ...(view?.states.keys() ?? [])])].sort(byteOrder)
        const rest = after === null ? all : all.filter((key) => byteOrder(key, after) > 0)
        const items = rest.slice(0, pageLimit(request))
        const last = items.at(-1)
        const cursor = last !== undefined && rest.length > items.length ? encodeCursor([last]) : null
        return { items, corrupt: [], cursor, stale: true }
      },
    }),
})

const ownCopy = <S extends z.ZodType>(given: z.input<S>, schema: S, what: string): z.output<S> =>
  structuredClone(parseInput(schema, given, what))

/** Host state that lives on one backend, and in the journal while that is down. [C-ROUTE-9] */
export const createFallbackHostState = (tools: HostStateTools): HostStateStore => {
  const { outage, ids, lastKnown } = tools
  const journaled = createJournaled(tools)
  return {
    ...createReads(tools, journaled),
    async save(key, given, options = {}) {
      const { ifRev, signal } = options
      const mark = lastKnown.mark(key)
      // The caller may change its object meanwhile; what is sent twice, journaled and remembered is one value.
      const value = ifRev === undefined ? ownCopy(given, JsonDocument, `value of ${JSON.stringify(key)}`) : given
      const id = ids.next()
      const result = await (ifRev === undefined
        ? outage.write<SaveResult>({
            options,
            direct: (operations, timeoutMs) => operations.saveState(id, key, value, { signal, timeoutMs }),
            journaled: (journal, sent) => journaled.save(journal, { id, key, value, sent }),
          })
        : outage.guarded('hostState', ({ hostState }) => hostState.save(key, value, options)))
      if (result.status === 'saved' && !result.journaled) lastKnown.saved(mark, value, result.rev)
      return result
    },
    async patch(key, { entries = {}, remove = [] }, options = {}) {
      const change = {
        entries: ownCopy(entries, JsonObjectDocument, `entries for ${JSON.stringify(key)}`),
        remove: [...remove],
      }
      const { signal } = options
      const mark = lastKnown.mark(key)
      const id = ids.next()
      const result = await outage.write<PatchResult>({
        options,
        direct: (operations, timeoutMs) => operations.patchState(id, key, change, { signal, timeoutMs }),
        journaled: (journal, sent) => journaled.patch(journal, { id, key, change, sent }),
      })
      if (result.status === 'saved' && !result.journaled) lastKnown.patched(mark, change)
      return result
    },
    async update(key, change, options) {
      const mark = lastKnown.mark(key)
      const result = await outage.guarded('hostState', ({ hostState }) => hostState.update(key, change, options))
      if (result.status === 'saved') lastKnown.saved(mark, result.value, result.rev)
      return result
    },
    async delete(key, options) {
      const mark = lastKnown.mark(key)
      const result = await outage.guarded('hostState', ({ hostState }) => hostState.delete(key, options))
      if (result.status !== 'conflict') lastKnown.deleted(mark)
      return result
    },
  }
}
