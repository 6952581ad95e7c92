import { StoreError } from './errors.ts'
import type { JsonValue } from './json.ts'
import { type CorruptEntry, encodeCursor, type Page, type PageRequest, pageLimit } from './page.ts'
import type { Rev } from './rev.ts'

/** A stored record as it reads: itself, or why it cannot be read. [C-ALL-9] */
export type Reading<T> = { ok: true; item: T } | { ok: false; corrupt: CorruptEntry }

/** The readable record, or null; throws `corrupt` for one that cannot be read. */
export function readable<T>(reading: Reading<T>): T
export function readable<T>(reading: Reading<T> | null): T | null
export function readable<T>(reading: Reading<T> | null): T | null {
  if (reading === null) return null
  if (reading.ok) return reading.item
  const { place, reason, rev } = reading.corrupt
  throw new StoreError({ code: 'corrupt', message: `${place} ${reason}.`, place, rev })
}

export const readingRev = (reading: Reading<{ rev: Rev }>): Rev => (reading.ok ? reading.item.rev : reading.corrupt.rev)

/** The refusal of a guarded write, or null where it may be written. Without a rev, unreadable data throws. [C-ALL-4, C-ALL-9] */
export const refusal = (
  present: Reading<{ rev: Rev }> | null,
  ifRev: Rev | null | undefined,
): { status: 'conflict'; current: Rev | null } | null => {
  const current = present && readingRev(present)
  if (ifRev !== undefined) return ifRev === current ? null : { status: 'conflict', current }
  readable(present)
  return null
}

/** The same for a delete, which does not ask whether what it removes can be read. [C-ALL-9] */
export const deleteRefusal = (
  present: Reading<{ rev: Rev }> | null,
  ifRev: Rev | undefined,
): { status: 'absent' } | { status: 'conflict'; current: Rev } | null => {
  if (present === null) return { status: 'absent' }
  const current = readingRev(present)
  return ifRev === undefined || ifRev === current ? null : { status: 'conflict', current }
}

/** How a row becomes a record and its place in the order. */
export interface PageShape<R, T> {
  read(row: R): Reading<T>
  key(row: R): JsonValue[]
}

/** One page of sorted rows after the cursor; one more than the limit tells that there is a next page. */
export const makePage = <R, T>(rows: readonly R[], request: PageRequest, { read, key }: PageShape<R, T>): Page<T> => {
  const shown = rows.slice(0, pageLimit(request))
  const page: Page<T> = { items: [], corrupt: [], cursor: null }
  for (const row of shown) {
    const reading = read(row)
    if (reading.ok) page.items.push(reading.item)
    else page.corrupt.push(reading.corrupt)
  }
  const last = shown.at(-1)
  if (last !== undefined && rows.length > shown.length) page.cursor = encodeCursor(key(last))
  return page
}
