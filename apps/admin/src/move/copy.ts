import type { CorruptEntry, StoreName, StoreRecords } from '@nexus/core'
import { maxPageLimit, recordKey } from '@nexus/core'
import { sourceDifferences, targetExtras } from './compare.ts'
import { contentOf, createDigest } from './content.ts'
import type { End, Ends } from './ends.ts'
import { recordPages } from './pages.ts'
import { contentMark, type Sheets } from './sheet.ts'

/** What one pass did to the target. */
export interface Pass {
  read: number
  written: number
  removed: number
  /** Records of the source that cannot be read, by name and place. */
  corrupt: number
}

export interface PassOptions {
  signal: AbortSignal
  /** Writes tasks that are held also where they are equal: a hold counts from the moment at which it is written. */
  renewHolds?: boolean
  /** Hears of every page: records of the source passed by, and written. */
  onPage?(page: { read: number; written: number }): void
  /** Hears of every record that is measured. */
  onRecord?(key: string, content: string): Promise<void>
  /** Hears of what the source has and cannot read; what it throws ends the pass before anything is removed. */
  onCorrupt?(corrupt: readonly CorruptEntry[]): void
}

/** How many writes of a store are under way at the same time. Tasks must be written in their order: one after the other. */
const writers: { readonly [S in StoreName]: number } = {
  workflows: 3,
  completions: 3,
  hostState: 1,
  taskFiles: 3,
  inbox: 1,
}

/** At most so many at a time; the first failure ends the next `run` or `settled`. */
const createLane = (width: number) => {
  const running = new Set<Promise<void>>()
  let failure: { error: unknown } | null = null
  const check = (): void => {
    if (failure) throw failure.error
  }
  return {
    async run(work: () => Promise<void>): Promise<void> {
      while (running.size >= width) await Promise.race(running)
      check()
      const one: Promise<void> = work()
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => running.delete(one))
      running.add(one)
    },
    async settled(): Promise<void> {
      await Promise.all(running)
      check()
    },
  }
}

/** Writes to the target what the source has otherwise. What is equal is left alone, so that it may be repeated at any time. */
export const copyStore = async <S extends StoreName>(
  ends: Ends,
  store: S,
  { signal, renewHolds = false, onPage, onCorrupt }: PassOptions,
): Promise<Pass> => {
  const pass: Pass = { read: 0, written: 0, removed: 0, corrupt: 0 }
  const lane = createLane(writers[store])
  const write = async (records: StoreRecords[S][], held: StoreRecords[S][], read: number): Promise<void> => {
    const all = [...records, ...held]
    if (all.length > 0) await ends.target.records.write(store, all, { signal })
    pass.written += records.length
    onPage?.({ read, written: records.length })
  }
  try {
    for await (const { read, missing, changed, held, corrupt } of sourceDifferences(ends, store, signal)) {
      pass.read += read
      pass.corrupt += corrupt.length
      onCorrupt?.(corrupt)
      await lane.run(() => write([...missing, ...changed.map(({ source }) => source)], renewHolds ? held : [], read))
    }
  } finally {
    await lane.settled()
  }
  return pass
}

/** The name of a task file is a part of its key: one of another project may be kept too, and the comparison finds it. */
const mayBe = (key: string, name: string): boolean => key === name || key.includes(JSON.stringify(name))

/** Takes from the target what the source has not, or has no longer. What the source cannot read it has: the copy stays. */
const removeExtras = async <S extends StoreName>(
  ends: Ends,
  store: S,
  unreadable: readonly string[],
  { signal, onPage }: PassOptions,
): Promise<number> => {
  let removed = 0
  for await (const { read, extra: all } of targetExtras(ends, store, signal)) {
    const extra = all.filter((key) => !unreadable.some((name) => mayBe(key, name)))
    if (extra.length > 0) await ends.target.records.remove(store, extra, { signal })
    removed += extra.length
    onPage?.({ read, written: extra.length })
  }
  return removed
}

/** Both: afterwards the target is what the source was while it was read. */
export const catchUp = async <S extends StoreName>(ends: Ends, store: S, options: PassOptions): Promise<Pass> => {
  const unreadable: string[] = []
  // The copy comes first: it tells what the source cannot read.
  const copied = await copyStore(ends, store, {
    ...options,
    onCorrupt(corrupt) {
      options.onCorrupt?.(corrupt)
      unreadable.push(...corrupt.map(({ name }) => name))
    },
  })
  return { ...copied, removed: await removeExtras(ends, store, unreadable, options) }
}

/** A store as a whole: how many records, and the sum of their digests. */
export interface Measure {
  records: number
  corrupt: number
  sha256: string
}

export const measureStore = async <S extends StoreName>(
  { records }: End,
  store: S,
  { signal, onPage, onRecord }: PassOptions,
): Promise<Measure> => {
  const digest = createDigest()
  const measure = { records: 0, corrupt: 0 }
  for await (const { items, corrupt } of recordPages(records, store, signal)) {
    for (const record of items) {
      const content = contentOf(store, record)
      digest.add(content)
      await onRecord?.(recordKey[store](record), content)
    }
    measure.records += items.length
    measure.corrupt += corrupt.length
    onPage?.({ read: items.length, written: 0 })
  }
  return { ...measure, sha256: digest.text() }
}

/** So many records are looked up in one reading of a sheet. */
const mostLooks = 50_000

interface RemovalOptions extends PassOptions {
  /** Whether everything readable goes. */
  all: boolean
  /** What the source held when it was closed. */
  sheets: Pick<Sheets, 'find'>
}

/** Those that are as they were when the source was closed: they were at the target then, and hosts have deleted them there since. */
const unchanged = async (sheets: Pick<Sheets, 'find'>, store: StoreName, marks: ReadonlyMap<string, string>) => {
  if (marks.size === 0) return []
  const held = await sheets.find(store, [...marks.keys()])
  return [...marks].filter(([key, content]) => held?.get(key) === content).map(([key]) => key)
}

/** Takes out of the source what the target has, or had when they were found equal; answers how many records stay. */
export const removeCopied = async <S extends StoreName>(
  { source, target }: Ends,
  store: S,
  { all, sheets, signal, onPage }: RemovalOptions,
): Promise<number> => {
  const keyOf = recordKey[store]
  let kept = 0
  let absent = new Map<string, string>()
  const remove = async (keys: readonly string[]): Promise<void> => {
    for (let at = 0; at < keys.length; at += maxPageLimit)
      await source.records.remove(store, keys.slice(at, at + maxPageLimit), { signal })
  }
  const removeAbsent = async (): Promise<void> => {
    const gone = await unchanged(sheets, store, absent)
    await remove(gone)
    kept += absent.size - gone.length
    absent = new Map()
  }
  for await (const { items } of recordPages(source.records, store, signal)) {
    const keys = items.map(keyOf)
    const there = all || keys.length === 0 ? [] : await target.records.find(store, keys, { signal })
    const known = new Set(all ? keys : there.map(keyOf))
    await remove(keys.filter((key) => known.has(key)))
    for (const record of items.filter((each) => !known.has(keyOf(each))))
      absent.set(keyOf(record), contentMark(contentOf(store, record)))
    if (absent.size >= mostLooks) await removeAbsent()
    onPage?.({ read: keys.length, written: keys.length })
  }
  await removeAbsent()
  return kept
}

/** Takes everything readable out of a store; answers how many records that were. */
export const emptyStore = async <S extends StoreName>(
  { records }: End,
  store: S,
  { signal, onPage }: PassOptions,
): Promise<number> => {
  let removed = 0
  for await (const { items } of recordPages(records, store, signal)) {
    const keys = items.map(recordKey[store])
    if (keys.length > 0) await records.remove(store, keys, { signal })
    removed += keys.length
    onPage?.({ read: keys.length, written: keys.length })
  }
  return removed
}
