import { createHash } from 'node:crypto'
import {
  type CompletionRecord,
  type InboxRecord,
  projectDedupKey,
  type Records,
  type StoreName,
  type StoreRecords,
} from '@nexus/core'
import { keyOf } from '../archive/format.ts'
import { recordPages } from '../move/pages.ts'

/** Whose records are looked at. */
export interface Side {
  /** As people know it: a path, or `stores`. */
  name: string
  records: Pick<Records, 'read' | 'find'>
}

/** Keys of a root's records that stand for another record on a side before it, and what they are called instead. */
export type Renames = ReadonlyMap<string, string>

/**
 * The id of a task whose own one another task has: made of what never changes of it, so that it is the same at every
 * repetition. Like ids of files it begins with the time.
 */
const otherId = ({ id, project, workspace, filename, createdAt }: InboxRecord): string => {
  const made = (BigInt(Math.max(createdAt.getTime(), 0)) * 1000n).toString(36).padStart(11, '0')
  const text = JSON.stringify([id, project, workspace, filename, createdAt.getTime()])
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 18)
  return made + BigInt(`0x${hash}`).toString(36).padStart(14, '0')
}

const isSameTask = (one: InboxRecord, other: InboxRecord): boolean =>
  one.project === other.project &&
  one.filename === other.filename &&
  one.createdAt.getTime() === other.createdAt.getTime()

interface Naming<S extends StoreName> {
  store: S
  /** What a record is called where its key is taken; null where it keeps it anyway. */
  otherKey(record: StoreRecords[S]): string | null
  isSame(one: StoreRecords[S], other: StoreRecords[S]): boolean
}

const tasks: Naming<'inbox'> = { store: 'inbox', otherKey: otherId, isSame: isSameTask }

/** The documented key names no project; that of another project's report is put before it, as when both are saved in one place. */
const reports: Naming<'completions'> = {
  store: 'completions',
  otherKey: ({ project, ...record }: CompletionRecord) =>
    project === null ? null : projectDedupKey({ ...record, project }),
  isSame: (one, other) => one.project === other.project || one.project === null || other.project === null,
}

const findOn = async <S extends StoreName>(
  sides: readonly Side[],
  store: S,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<StoreRecords[S][]> => {
  const found: StoreRecords[S][] = []
  for (const { records } of sides) found.push(...(await records.find(store, keys, { signal })))
  return found
}

const clashesOf = async <S extends StoreName>(
  root: Side['records'],
  before: readonly Side[],
  { store, otherKey, isSame }: Naming<S>,
  signal: AbortSignal,
): Promise<Renames> => {
  const renames = new Map<string, string>()
  for await (const { items } of recordPages(root, store, signal)) {
    const keys = items.map((record) => keyOf(store, record))
    const others = items.flatMap((record) => otherKey(record) ?? [])
    const given = new Map(items.map((record) => [keyOf(store, record), record]))
    const taken = new Set<string>()
    for (const other of await findOn(before, store, keys, signal)) {
      const record = given.get(keyOf(store, other))
      if (record && !isSame(other, record)) taken.add(keyOf(store, record))
    }
    const renamed = new Set((await findOn(before, store, others, signal)).map((record) => keyOf(store, record)))
    for (const record of items) {
      const [key, other] = [keyOf(store, record), otherKey(record)]
      if (other === null || other === key) continue
      // One that was renamed before keeps that name, also when the other one has gone.
      if (taken.has(key) || renamed.has(other)) renames.set(key, other)
    }
  }
  return renames
}

/** Holds the keys that change, of all records of the root. */
export const renamesOf = async (root: Side['records'], before: readonly Side[], signal: AbortSignal) => ({
  inbox: await clashesOf(root, before, tasks, signal),
  completions: await clashesOf(root, before, reports, signal),
})

/** The same records as `translate` gives them out. `names`: the keys that it changes, by what they were. */
export const translated = (
  records: Side['records'],
  names: { readonly [S in StoreName]?: Renames },
  translate: <S extends StoreName>(store: S, record: StoreRecords[S]) => Promise<StoreRecords[S]>,
): Side['records'] => {
  const all = async <S extends StoreName>(store: S, items: readonly StoreRecords[S][]): Promise<StoreRecords[S][]> => {
    const answers: StoreRecords[S][] = []
    for (const item of items) answers.push(await translate(store, item))
    return answers
  }
  const before = new Map(
    Object.entries(names).map(([store, renames]) => [store, new Map([...renames].map(([key, now]) => [now, key]))]),
  )
  return {
    async read(store, page, options) {
      const found = await records.read(store, page, options)
      return { ...found, items: await all(store, found.items) }
    },
    async find(store, keys, options) {
      const wanted = new Set(keys)
      const found = await records.find(
        store,
        keys.map((key) => before.get(store)?.get(key) ?? key),
        options,
      )
      return (await all(store, found)).filter((record) => wanted.has(keyOf(store, record)))
    },
  }
}
