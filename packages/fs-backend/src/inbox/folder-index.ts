import { createHeap, type Heap } from './heap.ts'
import type { Listing } from './listing.ts'
import type { Mark, News } from './news.ts'

export interface Entry {
  file: string
  id: string
}

/** The names in one folder of the queue, kept in memory in the order in which its tasks are due. */
export interface FolderIndex<E extends Entry> {
  /**
   * Looks what changed. Afterwards the index is what the folder was at one moment of the call; where the folder is big,
   * only as far as our own programs changed it, unless it is to be `exact`.
   */
  refresh(isExact?: boolean): Promise<void>
  /** So big that listing it at every change would cost too much. */
  isBig(): boolean
  size(): number
  /** How many were ever found. */
  found(): number
  entries(): Iterable<E>
  get(file: string): E | undefined
  withId(id: string): E | undefined
  /** Takes the first out of the order; it stays in the index until it is dropped. */
  next(): E | undefined
  /** Puts back into the order what `next` gave out. */
  putBack(entry: E): void
  /** Has an entry stand where it belongs, once more is known than its name tells. */
  replace(entry: E): void
  /** What is not there any more. */
  drop(file: string): void
}

/** What an index needs to know of a folder. */
export interface Indexing<E extends Entry> {
  /** What news call it: its path may differ from process to process. */
  name: string
  folder: string
  compare(a: E, b: E): number
  /** What names mean; an entry that is known already may be given back. */
  read(files: readonly string[], known: (file: string) => E | undefined): Promise<E[]>
}

export interface IndexTools {
  listing: Listing
  news: News
  /** Milliseconds that only grow, of the clock that stamps files and not of the injected one. */
  now(): number
  /** From how many names on a folder is big. */
  few?: number
}

const defaultFew = 1000

/** A big folder is listed no more than this part of the time. */
const listedShare = 20

/** Two changes within one tick of the clock that stamps a folder leave the same stamp. */
const tickMs = (stamp: string): number => (/\.\d/.test(stamp) ? 30 : 2500)

interface Shelf<E> {
  byFile: Map<string, E>
  byId: Map<string, E>
  order: Heap<E>
}

interface Listed {
  stamp: string
  /** No later change can have left this stamp. */
  isSure: boolean
  at: number
  took: number
  mark: Mark | null
}

const createShelf = <E extends Entry>(compare: (a: E, b: E) => number): Shelf<E> => ({
  byFile: new Map(),
  byId: new Map(),
  order: createHeap(compare),
})

const add = <E extends Entry>(shelf: Shelf<E>, entry: E): void => {
  shelf.byFile.set(entry.file, entry)
  shelf.byId.set(entry.id, entry)
  shelf.order.push(entry)
}

const remove = <E extends Entry>({ byFile, byId }: Shelf<E>, file: string): void => {
  const entry = byFile.get(file)
  byFile.delete(file)
  if (entry && byId.get(entry.id) === entry) byId.delete(entry.id)
}

/** Since when a folder has looked as it does. */
const createStamps = ({ listing, now }: IndexTools, folder: string) => {
  let seen: { stamp: string; since: number } | null = null
  return async (): Promise<{ stamp: string; isSure: boolean } | null> => {
    const at = now()
    const stamp = await listing.stamp(folder)
    if (stamp === null) seen = null
    else if (seen?.stamp !== stamp) seen = { stamp, since: now() }
    return seen && { stamp: seen.stamp, isSure: at - seen.since >= tickMs(seen.stamp) }
  }
}

export const createFolderIndex = <E extends Entry>(
  tools: IndexTools,
  { name, folder, compare, read }: Indexing<E>,
): FolderIndex<E> => {
  const { listing, news, now, few = defaultFew } = tools
  const look = createStamps(tools, folder)
  let shelf = createShelf(compare)
  let listed: Listed | null = null
  /** What went since the last listing began, and since the one before: late news do not bring it back. */
  let gone = new Set<string>()
  let goneBefore = new Set<string>()
  let found = 0
  let turn: Promise<unknown> = Promise.resolve()

  const isBig = (): boolean => shelf.byFile.size >= few

  const drop = (file: string): void => {
    gone.add(file)
    remove(shelf, file)
  }

  const list = async ({ stamp, isSure }: { stamp: string; isSure: boolean }): Promise<void> => {
    const at = now()
    const mark = listed === null || isBig() ? await news.mark() : null
    const next = createShelf(compare)
    const goneMeanwhile = new Set<string>()
    goneBefore = gone
    gone = goneMeanwhile
    await listing.names(folder, async (files) => {
      for (const entry of await read(files, (file) => shelf.byFile.get(file))) {
        if (goneMeanwhile.has(entry.file)) continue
        if (!shelf.byFile.has(entry.file)) found += 1
        add(next, entry)
      }
    })
    for (const file of goneMeanwhile) remove(next, file)
    shelf = next
    listed = { stamp, isSure, at: now(), took: now() - at, mark }
  }

  /** False where the folder has to be listed. */
  const hear = async (): Promise<boolean> => {
    const heard = listed?.mark ? await news.since(listed.mark) : null
    if (!heard || !listed) return false
    listed.mark = heard.mark
    const files = heard.items.filter((item) => item.folder === name)
    for (const { kind, file } of files) if (kind === '-') drop(file)
    const fresh = files.flatMap(({ kind, file }) => (kind === '+' ? [file] : []))
    const isNew = (file: string): boolean => !shelf.byFile.has(file) && !gone.has(file) && !goneBefore.has(file)
    for (const entry of await read(fresh.filter(isNew), () => undefined)) {
      found += 1
      add(shelf, entry)
    }
    return true
  }

  const refresh = async (isExact: boolean): Promise<void> => {
    const looked = await look()
    if (!looked) {
      shelf = createShelf(compare)
      listed = null
      return
    }
    if (listed?.isSure && listed.stamp === looked.stamp) return
    const isTooSoon = listed !== null && isBig() && now() - listed.at < listedShare * listed.took
    if (!isExact && isTooSoon && (await hear())) return
    await list(looked)
  }

  return {
    refresh(isExact = false) {
      const result = turn.then(() => refresh(isExact))
      turn = result.catch(() => undefined)
      return result
    },
    isBig,
    size: () => shelf.byFile.size,
    found: () => found,
    entries: () => shelf.byFile.values(),
    get: (file) => shelf.byFile.get(file),
    withId: (id) => shelf.byId.get(id),
    next() {
      for (;;) {
        const entry = shelf.order.pop()
        // What was dropped or replaced stays in the order until it is met.
        if (!entry || shelf.byFile.get(entry.file) === entry) return entry
      }
    },
    putBack(entry) {
      if (shelf.byFile.get(entry.file) === entry) shelf.order.push(entry)
    },
    replace(entry) {
      remove(shelf, entry.file)
      add(shelf, entry)
    },
    drop,
  }
}
