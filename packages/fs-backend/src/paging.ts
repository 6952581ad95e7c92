import type { Reading } from '@nexus/core'
import { encodeCursor, type JsonValue, type Page, type PageRequest, pageLimit } from '@nexus/core'
import { createSlices } from './slices.ts'

/** One record of a list with its place in the order. */
export interface Row<K extends JsonValue[], T> {
  key: K
  found: Reading<T>
}

interface Order<K> {
  after: K | null
  compare(a: K, b: K): number
}

const insertionPoint = <R>(rows: readonly R[], isBefore: (row: R) => boolean): number => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(rows[middle] as R)) low = middle + 1
    else high = middle
  }
  return low
}

/** The first so many beyond `after`, of things that come in any order; no more than those are held. */
export const createFirst = <R extends { key: K }, K>({ after, compare }: Order<K>, most: number) => {
  const rows: R[] = []
  return {
    rows: rows as readonly R[],
    offer(row: R): void {
      const last = rows.length < most ? undefined : rows.at(-1)
      if (after !== null && compare(after, row.key) >= 0) return
      if (last && compare(last.key, row.key) <= 0) return
      rows.splice(
        insertionPoint(rows, ({ key }) => compare(key, row.key) <= 0),
        0,
        row,
      )
      if (rows.length > most) rows.pop()
    },
  }
}

const pageOf = <T>(shown: readonly Reading<T>[], next: JsonValue[] | null): Page<T> => ({
  items: shown.flatMap((found) => (found.ok ? [found.item] : [])),
  corrupt: shown.flatMap((found) => (found.ok ? [] : [found.corrupt])),
  cursor: next && encodeCursor(next),
})

/** One page of rows that are at hand. */
export const collectPage = async <K extends JsonValue[], T>(
  request: PageRequest,
  { rows, ...order }: Order<K> & { rows: AsyncIterable<Row<K, T>> },
): Promise<Page<T>> => {
  const limit = pageLimit(request)
  const first = createFirst<Row<K, T>, K>(order, limit + 1)
  for await (const row of rows) first.offer(row)
  const shown = first.rows.slice(0, limit)
  const last = shown.at(-1)
  return pageOf(
    shown.map(({ found }) => found),
    last && first.rows.length > limit ? last.key : null,
  )
}

interface Listing<C extends { key: K }, K, T> extends Order<K> {
  /** What the list is chosen from, known without its documents; in groups, so that only one need be held. */
  candidates(): AsyncIterable<Iterable<C>>
  /** Null where it is gone, or has become what the list does not ask for. */
  read(candidate: C): Promise<Reading<T> | null>
}

/** One page of records whose documents are read only where they are on the page. */
export const readPage = async <C extends { key: K }, K extends JsonValue[], T>(
  request: PageRequest,
  { candidates, read, ...order }: Listing<C, K, T>,
  signal?: AbortSignal,
): Promise<Page<T>> => {
  const limit = pageLimit(request)
  const shown: Reading<T>[] = []
  for (let { after } = order; ; ) {
    const missing = limit - shown.length
    const first = createFirst<C, K>({ ...order, after }, missing + 1)
    const slices = createSlices(signal)
    for await (const group of candidates())
      for (const candidate of group) {
        if (slices.isOver()) await slices.next()
        first.offer(candidate)
      }
    const chosen = first.rows.slice(0, missing)
    for await (const found of inSlices(chosen, read)) shown.push(found)
    signal?.throwIfAborted()
    after = chosen.at(-1)?.key ?? after
    const isLast = first.rows.length <= missing
    if (isLast || shown.length === limit) return pageOf(shown, isLast ? null : after)
  }
}

/** Newest first, then by name. */
export const newestFirst = (a: [number, string], b: [number, string]): number =>
  b[0] - a[0] || (a[1] === b[1] ? 0 : a[1] < b[1] ? 1 : -1)

const sliceLength = 32

/** Reads many files a slice at a time: quicker than one by one, and never more than a slice is held. */
export async function* inSlices<A, B>(inputs: Iterable<A>, read: (input: A) => Promise<B | null>): AsyncGenerator<B> {
  const all = [...inputs]
  for (let from = 0; from < all.length; from += sliceLength)
    for (const result of await Promise.all(all.slice(from, from + sliceLength).map(read)))
      if (result !== null) yield result
}
