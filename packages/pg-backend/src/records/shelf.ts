import {
  encodeCursor,
  type JsonValue,
  type Page,
  type PageRequest,
  pageLimit,
  type Reading,
  type Rev,
  readCursor,
  type StoreName,
  type StoreRecords,
} from '@nexus/core'
import type { z } from 'zod'
import type { RunStatement, Statement } from '../query.ts'
import type { Row } from '../session.ts'
import type { Writing } from '../statements/records.ts'
import type { Call } from '../tools.ts'

/** The rows of one store as whole records. Writing and removing belong into a transaction of the mover's. */
export interface Shelf<S extends StoreName> {
  read(run: RunStatement, request: PageRequest, call: Call): Promise<Page<StoreRecords[S]>>
  find(run: RunStatement, keys: readonly string[], call: Call): Promise<StoreRecords[S][]>
  /** Why this backend cannot keep the record, or null. */
  problem(record: StoreRecords[S]): string | null
  /** Fails as a duplicate where a row has a key that one of these takes, `new` ones also where one is there. */
  write(run: RunStatement, how: Writing, records: readonly StoreRecords[S][], call: Call): Promise<void>
  /** Takes those keys from whoever has them. */
  displace(run: RunStatement, records: readonly StoreRecords[S][], call: Call): Promise<void>
  remove(run: RunStatement, keys: readonly string[], call: Call): Promise<void>
}

/** How the rows of one table become pages of records. */
export interface Listing<R extends Row, T> {
  statement(shape: { after: boolean }): Statement<R>
  /** Of the cursor's one value. */
  cursor: z.ZodTuple<[z.ZodType<JsonValue>]>
  key(row: R): JsonValue
  read(row: R): Reading<T>
  /** The rev of a row that cannot be read, by the name that its entry has. */
  rev?(run: RunStatement, name: string, call: Call): Promise<Rev>
}

/** One page of rows, in the order of their key. */
export const readPage = async <R extends Row, T>(
  run: RunStatement,
  { statement, cursor, key, read, rev }: Listing<R, T>,
  request: PageRequest,
  call: Call,
): Promise<Page<T>> => {
  const limit = pageLimit(request)
  const place = readCursor(request, cursor)
  const rows = await run(statement({ after: place !== null }), [limit + 1, ...(place ?? [])], call)
  const page: Page<T> = { items: [], corrupt: [], cursor: null }
  for (const row of rows.slice(0, limit)) {
    const reading = read(row)
    if (reading.ok) page.items.push(reading.item)
    else page.corrupt.push(reading.corrupt)
  }
  if (rev) for (const entry of page.corrupt) entry.rev = await rev(run, entry.name, call)
  const last = rows[limit - 1]
  if (last && rows.length > limit) page.cursor = encodeCursor([key(last)])
  return page
}

export const readableOf = <R, T>(rows: readonly R[], read: (row: R) => Reading<T>): T[] =>
  rows.flatMap((row) => {
    const reading = read(row)
    return reading.ok ? [reading.item] : []
  })

/** One list for each column, as `unnest` takes them. */
export const columnsOf = <R>(records: readonly R[], columns: readonly ((record: R) => unknown)[]): unknown[] =>
  columns.map((column) => records.map(column))

/** Of records that claim one and the same key, one has it: the last. */
export const ownersOf = <R>(records: readonly R[], key: (record: R) => string | null): ReadonlySet<R> => {
  const owners = new Map<string, R>()
  for (const record of records) {
    const name = key(record)
    if (name !== null) owners.set(name, record)
  }
  return new Set(owners.values())
}
