import { type CorruptEntry, recordKey, type StoreName, type StoreRecords } from '@nexus/core'
import { contentOf } from './content.ts'
import type { Ends } from './ends.ts'
import { recordPages } from './pages.ts'

/** What stands between a page of the source and the same records of the target. */
export interface PageDifference<S extends StoreName> {
  /** Records of the page. */
  read: number
  missing: StoreRecords[S][]
  changed: { source: StoreRecords[S]; target: StoreRecords[S] }[]
  /** Equal tasks that somebody holds. */
  held: StoreRecords[S][]
  corrupt: CorruptEntry[]
}

/** Page by page, what the target lacks or has otherwise. */
export async function* sourceDifferences<S extends StoreName>(
  { source, target }: Ends,
  store: S,
  signal: AbortSignal,
): AsyncGenerator<PageDifference<S>> {
  const keyOf = recordKey[store]
  for await (const { items, corrupt } of recordPages(source.records, store, signal)) {
    const there = items.length === 0 ? [] : await target.records.find(store, items.map(keyOf), { signal })
    const byKey = new Map(there.map((record) => [keyOf(record), record]))
    const difference: PageDifference<S> = { read: items.length, missing: [], changed: [], held: [], corrupt }
    for (const record of items) {
      const present = byKey.get(keyOf(record))
      if (!present) difference.missing.push(record)
      else if (contentOf(store, record) !== contentOf(store, present))
        difference.changed.push({ source: record, target: present })
      else if ('hold' in record && record.hold !== null) difference.held.push(record)
    }
    yield difference
  }
}

/** Page by page, the keys of what the target has and the source has not. */
export async function* targetExtras<S extends StoreName>(
  { source, target }: Ends,
  store: S,
  signal: AbortSignal,
): AsyncGenerator<{ read: number; extra: string[]; corrupt: CorruptEntry[] }> {
  const keyOf = recordKey[store]
  for await (const { items, corrupt } of recordPages(target.records, store, signal)) {
    const keys = items.map(keyOf)
    const there = keys.length === 0 ? [] : await source.records.find(store, keys, { signal })
    const known = new Set(there.map(keyOf))
    yield { read: items.length, extra: keys.filter((key) => !known.has(key)), corrupt }
  }
}
