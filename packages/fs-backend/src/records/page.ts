import { encodeCursor, type Page, type PageRequest, pageLimit, type Reading, readCursor } from '@nexus/core'
import { z } from 'zod'
import { recordName } from '../layout.ts'
import { inSlices } from '../paging.ts'
import type { Names } from './names.ts'

/** Where a record lies among those of its store, as the parts of its path; empty before all. */
export type Spot = readonly string[]

/** How the records of a store lie on the disk. */
export interface Shelves<R> {
  /** Every spot beyond one, in order. */
  spots(after: Spot, signal: AbortSignal | undefined): AsyncIterable<Spot>
  /** What lies there now, in that order; what is gone is left out. */
  readAll(spots: readonly Spot[], signal: AbortSignal | undefined): Promise<Reading<R>[]>
}

const Cursor = z.tuple([z.array(z.string())])

/** One page; no more than its names and its records are held. */
export const readShelves = async <R>(
  { spots, readAll }: Shelves<R>,
  request: PageRequest,
  signal: AbortSignal | undefined,
): Promise<Page<R>> => {
  const limit = pageLimit(request)
  const [after] = readCursor(request, Cursor) ?? [[]]
  const chosen: Spot[] = []
  for await (const spot of spots(after, signal)) {
    chosen.push(spot)
    if (chosen.length > limit) break
  }
  const shown = chosen.slice(0, limit)
  const found = await readAll(shown, signal)
  const last = chosen.length > limit ? shown.at(-1) : undefined
  return {
    items: found.flatMap((one) => (one.ok ? [one.item] : [])),
    corrupt: found.flatMap((one) => (one.ok ? [] : [one.corrupt])),
    cursor: last ? encodeCursor([[...last]]) : null,
  }
}

/** The folder that the last page ended in, which may hold more, and those beyond it. */
export async function* fromFolder(after: string | undefined, beyond: (name: string) => AsyncIterable<string>) {
  if (after !== undefined) yield after
  yield* beyond(after ?? '')
}

/** Of documents that lie in one folder, each under its record's name. */
export const shelvesOf = <R>(
  names: Names,
  folder: string,
  read: (name: string) => Promise<Reading<R> | null>,
): Shelves<R> => ({
  async *spots([after = '']) {
    for await (const file of names.files(folder, after)) if (recordName.json(file) !== null) yield [file]
  },
  async readAll(spots) {
    const found: Reading<R>[] = []
    const readSpot = ([file = '']: Spot) => read(recordName.json(file) ?? file)
    for await (const one of inSlices(spots, readSpot)) found.push(one)
    return found
  },
})
