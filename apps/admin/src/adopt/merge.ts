import type { CorruptEntry, StoreName, StoreRecord, StoreRecords } from '@nexus/core'
import { keyOf } from '../archive/format.ts'
import { contentOf } from '../move/content.ts'
import { recordPages } from '../move/pages.ts'
import type { Side } from './root-names.ts'

/** Which of two records of one key stays. `first`: what is in the stores, then the roots as they were named. */
export type Preference = 'newest' | 'first'

/** Two sides have something else under one key. */
interface Clash {
  store: StoreName
  key: string
  /** The root that has it, and the side that has it otherwise. */
  root: string
  other: string
  /** The side whose record stays; null where nobody said which. */
  stays: string | null
}

export interface MergeOptions {
  prefer: Preference | null
  signal: AbortSignal
  onCorrupt(root: string, store: StoreName, entry: CorruptEntry): void
  onClash(clash: Clash): void
  /** What is to be written, and is not there. */
  onWanted(store: StoreName, key: string): void
}

export interface Merged {
  records: number
  missing: number
  equal: number
  different: number
  corrupt: number
}

const lastTouched: { readonly [S in StoreName]: (record: StoreRecords[S]) => Date } = {
  workflows: ({ updatedAt }) => updatedAt,
  completions: ({ savedAt }) => savedAt,
  hostState: ({ updatedAt }) => updatedAt,
  taskFiles: ({ updatedAt }) => updatedAt,
  inbox: ({ processedAt, createdAt }) => processedAt ?? createdAt,
}

const touchedAt = <S extends StoreName>(store: S, record: StoreRecords[S]): number =>
  lastTouched[store](record).getTime()

/** Its place in the order of saving is its place's own. */
const comparable = (store: StoreName, record: StoreRecord): string =>
  contentOf(store, 'seq' in record ? { ...record, seq: null } : record)

interface Standing {
  side: Side
  record: StoreRecord
}

/** The record that stands under each key before a root is looked at, and whose it is. */
const standing = async (
  sides: readonly Side[],
  store: StoreName,
  keys: readonly string[],
  { prefer, signal }: MergeOptions,
): Promise<Map<string, Standing>> => {
  const found = new Map<string, Standing>()
  for (const side of sides)
    for (const record of await side.records.find(store, keys, { signal })) {
      const key = keyOf(store, record)
      const present = found.get(key)
      const isNewer = present && touchedAt(store, record) > touchedAt(store, present.record)
      if (!present || (prefer === 'newest' && isNewer)) found.set(key, { side, record })
    }
  return found
}

/**
 * Looks what a root adds to the sides before it, page by page, and hands on what is to be written. `write` null: nothing is.
 * The sides are the stores, and where nothing is written yet the roots before this one.
 */
export const mergeStore = async (
  root: Side,
  sides: readonly Side[],
  store: StoreName,
  options: MergeOptions,
  write: ((records: StoreRecord[]) => Promise<void>) | null,
): Promise<Merged> => {
  const merged: Merged = { records: 0, missing: 0, equal: 0, different: 0, corrupt: 0 }
  const isWanted = (record: StoreRecord, present: Standing | undefined): boolean => {
    const key = keyOf(store, record)
    if (!present) {
      merged.missing += 1
      return true
    }
    if (comparable(store, present.record) === comparable(store, record)) {
      merged.equal += 1
      return false
    }
    merged.different += 1
    const wins = options.prefer === 'newest' && touchedAt(store, record) > touchedAt(store, present.record)
    const stays = options.prefer === null ? null : wins ? root.name : present.side.name
    options.onClash({ store, key, root: root.name, other: present.side.name, stays })
    return wins
  }
  for await (const { items, corrupt } of recordPages(root.records, store, options.signal)) {
    for (const entry of corrupt) options.onCorrupt(root.name, store, entry)
    const keys = items.map((record) => keyOf(store, record))
    const before = await standing(sides, store, keys, options)
    const wanted = items.filter((record) => isWanted(record, before.get(keyOf(store, record))))
    for (const record of wanted) options.onWanted(store, keyOf(store, record))
    merged.records += items.length
    merged.corrupt += corrupt.length
    if (write && wanted.length > 0) await write(wanted)
  }
  return merged
}
