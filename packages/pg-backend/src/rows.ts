import type { CorruptEntry, JsonObject, JsonValue, Page, PageRequest, Rev } from '@nexus/core'
import { encodeCursor, isJsonObject, pageLimit, parseJson, StoreError } from '@nexus/core'

/** A stored record as it reads: itself, or why it cannot be read. */
export type Reading<T> = { ok: true; item: T } | { ok: false; corrupt: CorruptEntry }

export const readJsonObject = (text: string): { ok: true; value: JsonObject } | { ok: false; reason: string } => {
  const parsed = parseJson(text)
  if (!parsed.ok) return parsed
  return isJsonObject(parsed.value) ? { ok: true, value: parsed.value } : { ok: false, reason: 'is not a JSON object' }
}

/** The readable record; throws `corrupt` for one that cannot be read. */
export const readable = <T>(reading: Reading<T>): T => {
  if (reading.ok) return reading.item
  const { place, reason, rev } = reading.corrupt
  throw new StoreError({ code: 'corrupt', message: `The data of ${place} ${reason}.`, place, rev })
}

export const readingRev = (reading: Reading<{ rev: Rev }>): Rev => (reading.ok ? reading.item.rev : reading.corrupt.rev)

/** The driver reads `infinity` as a number, which is no date of ours. */
export const readDate = (value: Date | number | null): Date | null => (value instanceof Date ? value : null)

export const emptyPage = <T>(): Page<T> => ({ items: [], corrupt: [], cursor: null })

/** How a row becomes a record and its place in the order. */
export interface PageShape<R, T> {
  read(row: R): Reading<T>
  key(row: R): JsonValue[]
}

/** One page of rows that were asked for with one more than the limit, which tells whether there is a next page. */
export const makePage = <R, T>(rows: readonly R[], request: PageRequest, { read, key }: PageShape<R, T>): Page<T> => {
  const shown = rows.slice(0, pageLimit(request))
  const page = emptyPage<T>()
  for (const row of shown) {
    const reading = read(row)
    if (reading.ok) page.items.push(reading.item)
    else page.corrupt.push(reading.corrupt)
  }
  const last = shown.at(-1)
  if (last !== undefined && rows.length > shown.length) page.cursor = encodeCursor(key(last))
  return page
}
