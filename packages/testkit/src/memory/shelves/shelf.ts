import type { Page, PageRequest, Reading, StoreName, StoreRecords } from '@nexus/core'
import { makePage, readCursor } from '@nexus/core'
import { z } from 'zod'

/** The rows of one store as whole records. */
export interface Shelf<S extends StoreName> {
  read(page: PageRequest): Page<StoreRecords[S]>
  /** The one under this key, if it is there and readable. */
  find(key: string): StoreRecords[S] | null
  write(record: StoreRecords[S]): void
  remove(key: string): void
}

const Names = z.tuple([z.string()])
const Numbers = z.tuple([z.number()])

/** A page of rows that are known by name. */
export const pageByName = <R, T>(
  rows: Iterable<R>,
  request: PageRequest,
  { name, read }: { name(row: R): string; read(row: R): Reading<T> },
): Page<T> => {
  const [after] = readCursor(request, Names) ?? [null]
  const rest = [...rows].filter((row) => after === null || name(row) > after)
  const key = (row: R): string[] => [name(row)]
  return makePage(
    rest.sort((a, b) => (name(a) < name(b) ? -1 : 1)),
    request,
    { read, key },
  )
}

/** The same by number. */
export const pageByNumber = <R, T>(
  rows: Iterable<R>,
  request: PageRequest,
  { number, read }: { number(row: R): number; read(row: R): Reading<T> },
): Page<T> => {
  const [after] = readCursor(request, Numbers) ?? [Number.NEGATIVE_INFINITY]
  const rest = [...rows].filter((row) => number(row) > after).sort((a, b) => number(a) - number(b))
  return makePage(rest, request, { read, key: (row) => [number(row)] })
}

export const foundIn = <T>(reading: Reading<T> | null): T | null => (reading?.ok ? reading.item : null)
