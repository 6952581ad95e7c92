import {
  type CorruptEntry,
  maxPageLimit,
  type Page,
  type Records,
  type StoreName,
  type StoreRecords,
} from '@nexus/core'

/** The first page is small, since nobody knows yet how big the records are. */
const firstLimit = 100

/** About how much text a page may hold, in characters: with it, and not with the number of records, memory grows. */
const pageText = 8 * 1024 * 1024

/** About how much text a record holds, in characters. */
export const textLength = (record: object): number =>
  Object.values(record).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 16), 0)

const nextLimit = (items: readonly object[], limit: number): number => {
  const length = items.reduce((sum, item) => sum + textLength(item), 0)
  if (items.length === 0 || length === 0) return maxPageLimit
  const fitting = Math.floor((items.length * pageText) / length)
  // Bigger ones may follow: it grows step by step and shrinks at once.
  return Math.max(1, Math.min(maxPageLimit, fitting, limit * 4))
}

/** Every page of a store; the next one is read while the present one is worked on. */
export async function* recordPages<S extends StoreName>(
  records: Pick<Records, 'read'>,
  store: S,
  signal: AbortSignal,
): AsyncGenerator<{ items: StoreRecords[S][]; corrupt: CorruptEntry[] }> {
  let limit = firstLimit
  const read = (cursor: string | undefined): Promise<Page<StoreRecords[S]>> => {
    const reading = records.read(store, { cursor, limit }, { signal })
    // Whoever waits for it hears of its failure; nobody may be waiting yet, or any more.
    reading.catch(() => undefined)
    return reading
  }
  let next: Promise<Page<StoreRecords[S]>> | null = read(undefined)
  while (next) {
    const page: Page<StoreRecords[S]> = await next
    limit = nextLimit(page.items, limit)
    next = page.cursor === null ? null : read(page.cursor)
    yield page
  }
}
