import type { Reading } from '@nexus/core'
import { encodeCursor, type JsonValue, type Page, type PageRequest, pageLimit } from '@nexus/core'

/** One record of a list with its place in the order. */
export interface Row<K extends JsonValue[], T> {
  key: K
  found: Reading<T>
}

const insertionPoint = <R>(rows: readonly R[], row: R, compare: (a: R, b: R) => number): number => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(rows[middle] as R, row) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** One page of rows that come in any order; no more than a page of them is held. */
export const collectPage = async <K extends JsonValue[], T>(
  request: PageRequest,
  { after, compare, rows }: { after: K | null; compare(a: K, b: K): number; rows: AsyncIterable<Row<K, T>> },
): Promise<Page<T>> => {
  const limit = pageLimit(request)
  const best: Row<K, T>[] = []
  const order = (a: Row<K, T>, b: Row<K, T>): number => compare(a.key, b.key)
  for await (const row of rows) {
    if (after && compare(after, row.key) >= 0) continue
    best.splice(insertionPoint(best, row, order), 0, row)
    if (best.length > limit + 1) best.pop()
  }
  const shown = best.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.flatMap(({ found }) => (found.ok ? [found.item] : [])),
    corrupt: shown.flatMap(({ found }) => (found.ok ? [] : [found.corrupt])),
    cursor: last && best.length > limit ? encodeCursor(last.key) : null,
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
