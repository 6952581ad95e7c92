import type { Listing } from '../listing.ts'
import { createHeap, type Heap } from './heap.ts'
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
  /** Others may still take it for big: they are told what leaves, too. */
  isTold(): boolean
  size(): number
  /** How many were ever found. */
  found(): number
  entries(): Iterable<E>
  get(file: string): E | undefined
  withId(id: string): E | undefined
  /** Takes the first out of the order; it stays in the index until it is dropped. */
  next(): Promise<E | undefined>
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
  mark: Mark
}

/** What an index knows. */
interface Knowledge<E> {
  shelf: Shelf<E>
  listed: Listed | null
  /** What went since the last listing began, and since the one before: late news do not bring it back. */
  gone: Set<string>
  goneBefore: Set<string>
  found: number
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

interface Looked {
  stamp: string
  isSure: boolean
}

/** Since when a folder has looked as it does. */
const createStamps = ({ listing, now }: IndexTools, folder: string) => {
  let seen: { stamp: string; since: number } | null = null
  return async (): Promise<Looked | null> => {
    const at = now()
    const stamp = await listing.stamp(folder)
    if (stamp === null) seen = null
    else if (seen?.stamp !== stamp) seen = { stamp, since: now() }
    return seen && { stamp: seen.stamp, isSure: at - seen.since >= tickMs(seen.stamp) }
  }
}

const drop = <E extends Entry>({ shelf, gone }: Knowledge<E>, file: string): void => {
  gone.add(file)
  remove(shelf, file)
}

/** Replaces what is known by what lies there. */
const createList =
  <E extends Entry>({ listing, news, now }: IndexTools, { folder, compare, read }: Indexing<E>) =>
  async (known: Knowledge<E>, { stamp, isSure }: Looked): Promise<void> => {
    const at = now()
    const mark = await news.mark()
    const next = createShelf(compare)
    const gone = new Set<string>()
    known.goneBefore = known.gone
    known.gone = gone
    await listing.names(folder, async (files) => {
      for (const entry of await read(files, (file) => known.shelf.byFile.get(file))) {
        if (gone.has(entry.file)) continue
        if (!known.shelf.byFile.has(entry.file)) known.found += 1
        add(next, entry)
      }
    })
    for (const file of gone) remove(next, file)
    known.shelf = next
    known.listed = { stamp, isSure, at: now(), took: now() - at, mark }
  }

/** Learns what was told since. False where the folder has to be listed. */
const createHear =
  <E extends Entry>({ news }: IndexTools, { name, read }: Indexing<E>) =>
  async (known: Knowledge<E>, listed: Listed): Promise<boolean> => {
    const heard = await news.since(listed.mark)
    if (!heard) return false
    listed.mark = heard.mark
    const items = heard.items.filter((item) => item.folder === name)
    for (const { kind, file } of items) if (kind === '-') drop(known, file)
    const isNew = (file: string): boolean =>
      !known.shelf.byFile.has(file) && !known.gone.has(file) && !known.goneBefore.has(file)
    const came = items.filter(({ kind, file }) => kind === '+' && isNew(file)).map(({ file }) => file)
    for (const entry of await read(came, () => undefined)) {
      known.found += 1
      add(known.shelf, entry)
    }
    return true
  }

export const createFolderIndex = <E extends Entry>(tools: IndexTools, indexing: Indexing<E>): FolderIndex<E> => {
  const { now, few = defaultFew } = tools
  const look = createStamps(tools, indexing.folder)
  const list = createList(tools, indexing)
  const hear = createHear(tools, indexing)
  const empty = () => createShelf(indexing.compare)
  const known: Knowledge<E> = { shelf: empty(), listed: null, gone: new Set(), goneBefore: new Set(), found: 0 }
  let turn: Promise<unknown> = Promise.resolve()

  const isBig = (): boolean => known.shelf.byFile.size >= few

  const refresh = async (isExact: boolean): Promise<void> => {
    const looked = await look()
    const { listed } = known
    if (!looked) {
      known.shelf = empty()
      known.listed = null
      return
    }
    if (listed?.isSure && listed.stamp === looked.stamp) return
    const isTooSoon = listed !== null && isBig() && now() - listed.at < listedShare * listed.took
    if (!isExact && isTooSoon && (await hear(known, listed))) return
    await list(known, looked)
  }

  return {
    refresh(isExact = false) {
      const result = turn.then(() => refresh(isExact))
      turn = result.catch(() => undefined)
      return result
    },
    isBig,
    isTold: () => known.shelf.byFile.size >= few / 2,
    size: () => known.shelf.byFile.size,
    found: () => known.found,
    entries: () => known.shelf.byFile.values(),
    get: (file) => known.shelf.byFile.get(file),
    withId: (id) => known.shelf.byId.get(id),
    async next() {
      for (;;) {
        const { shelf } = known
        const entry = await shelf.order.pop()
        // What was dropped or replaced stays in the order until it is met.
        const isThere = !entry || shelf.byFile.get(entry.file) === entry
        if (isThere && shelf === known.shelf) return entry
      }
    },
    putBack(entry) {
      if (known.shelf.byFile.get(entry.file) === entry) known.shelf.order.push(entry)
    },
    replace(entry) {
      remove(known.shelf, entry.file)
      add(known.shelf, entry)
    },
    drop: (file) => drop(known, file),
  }
}
