import type { z } from 'zod'
import { invalid } from './errors.ts'
import type { JsonValue } from './json.ts'
import { parseJson } from './json.ts'

/** Keyset paging: the cursor of one page, handed back, gives the next. [C-ALL-8] */
export interface PageRequest {
  /** Opaque; from the page before. */
  cursor?: string | undefined
  /** Records per page, 1 to 1000; 100 unless given. */
  limit?: number | undefined
}

/** A record that is there and cannot be read. It stays in its place until a save with its rev replaces it. [C-ALL-9] */
export interface CorruptEntry {
  /** The record's name as far as its place tells (id, key, filename, dedup key). */
  name: string
  /** A path, or table and key. */
  place: string
  reason: string
  rev: string
}

export interface Page<T> {
  items: T[]
  /** The unreadable records among this page's; they count toward the limit. */
  corrupt: CorruptEntry[]
  /** Null on the last page. */
  cursor: string | null
  /** Only what is known while the backend is down: more may be there. [C-ROUTE-9] */
  stale?: true
}

export const maxPageLimit = 1000
const defaultPageLimit = 100

export const pageLimit = ({ limit = defaultPageLimit }: PageRequest): number => {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxPageLimit)
    throw invalid(`A page limit of ${limit} is out of range: use a whole number from 1 to ${maxPageLimit}.`)
  return limit
}

export const encodeCursor = (key: JsonValue[]): string => Buffer.from(JSON.stringify(key)).toString('base64url')

/** The key inside a cursor, or null where none was given. A cursor that we did not make is `invalid`. */
export const decodeCursor = ({ cursor }: PageRequest, length: number): JsonValue[] | null => {
  if (cursor === undefined) return null
  const parsed = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'))
  if (!parsed.ok || !Array.isArray(parsed.value) || parsed.value.length !== length)
    throw invalid('The cursor is not one that this list gave out.')
  return parsed.value
}

/** The same, and each part of the key is of the kind this list puts there. */
export const readCursor = <S extends z.ZodTuple>(request: PageRequest, schema: S): z.output<S> | null => {
  const key = decodeCursor(request, schema.def.items.length)
  if (key === null) return null
  const parsed = schema.safeParse(key)
  if (!parsed.success) throw invalid('The cursor is not one that this list gave out.')
  return parsed.data
}

/** Every readable item of a list, page by page; no more than one page is held. */
export async function* eachItem<T>(list: (page: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Page<T> = await list({ cursor, limit: maxPageLimit })
    yield* page.items
    cursor = page.cursor
  }
}
