import type { Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { OpenFolder } from './folder.ts'
import { storeErrorOf } from './fs-errors.ts'
import { look } from './look.ts'
import type { Reading } from './reading.ts'
import { createSlices } from './slices.ts'
import { isTelling, isUnchanged, type Stamp } from './stamp.ts'
import { createTurns } from './turns.ts'

/** What is known of one record: the stamp that it had when it was read, and the few facts that a list needs. */
export interface Known<F> extends Stamp {
  readonly facts: F
  /** False where it can change, or has changed, without another stamp: it is read again at the next look. */
  readonly isSettled: boolean
}

/** How the facts of one record are found, at once. */
export interface FactReader<F> {
  isRecord(name: string): boolean
  isKind(stat: Stats): boolean
  /** Null where it is no record, or none any more; pending where the facts may change while the stamp stays. */
  read(folder: OpenFolder, name: string, stat: Stats): { facts: F; isPending?: boolean } | null
}

/**
 * The facts of every record of a folder, so that a page reads no more than its own documents. Other programs write in
 * place, which leaves a folder's time alone: each look asks for the stamp of every record, and reads again those that
 * changed.
 */
export interface Catalog<F> {
  /** By name; as it is at some moment after the call. */
  look(path: string, reader: FactReader<F>, signal?: AbortSignal): Promise<ReadonlyMap<string, Known<F>>>
}

interface CatalogParts {
  reading: Reading
  /** Records kept, over all folders; one costs some 300 bytes. */
  most?: number
  /** Of the clock that stamps files, so not the injected one. */
  now?(): number
}

interface Look<F> {
  begun: number
  known: ReadonlyMap<string, Known<F>>
}

/** The last looks, as many as fit; the folder looked at longest ago goes first. */
const createKept = <F>(most: number) => {
  const looks = new Map<string, Look<F>>()
  let size = 0
  const forget = (path: string): void => {
    size -= looks.get(path)?.known.size ?? 0
    looks.delete(path)
  }
  return {
    get: (path: string): Look<F> | undefined => looks.get(path),
    put(path: string, taken: Look<F>): void {
      forget(path)
      if (taken.known.size === 0) return
      looks.set(path, taken)
      size += taken.known.size
      for (const oldest of looks.keys()) {
        if (size <= most) return
        forget(oldest)
      }
    },
  }
}

export const createCatalog = <F>({ reading, most = 400_000, now = Date.now }: CatalogParts): Catalog<F> => {
  const kept = createKept<F>(most)
  const inTurn = createTurns()
  let count = 0

  /** The stamp is the one from before the reading: what changes in between has another one at the next look. */
  const see = (folder: OpenFolder, name: string, reader: FactReader<F>, before: Known<F> | undefined) => {
    const lookedAt = now()
    const stat = look.stat(folder, name)
    if (!stat || !reader.isKind(stat)) return null
    if (before?.isSettled && isUnchanged(before, stat)) return before
    const found = reader.read(folder, name, stat)
    if (!found) return null
    const { ino, size, mtimeMs, ctimeMs } = stat
    const isSettled = !found.isPending && isTelling(stat, lookedAt)
    return { ino, size, mtimeMs, ctimeMs, facts: found.facts, isSettled }
  }

  const seeAll = async (folder: OpenFolder, reader: FactReader<F>, signal: AbortSignal | undefined) => {
    const before = kept.get(folder.path)?.known
    const known = new Map<string, Known<F>>()
    const slices = createSlices(signal)
    for (const name of await readdir(folder.at('.'))) {
      if (!reader.isRecord(name)) continue
      if (slices.isOver()) await slices.next()
      try {
        const seen = see(folder, name, reader, before?.get(name))
        if (seen) known.set(name, seen)
      } catch (error) {
        throw storeErrorOf(error, join(folder.path, name))
      }
    }
    return known
  }

  return {
    look(path, reader, signal) {
      const asked = ++count
      return inTurn(path, async () => {
        const last = kept.get(path)
        if (last && last.begun > asked) return last.known
        const begun = ++count
        const none: ReadonlyMap<string, Known<F>> = new Map()
        const known = await reading.within(path, none, (folder) => seeAll(folder, reader, signal))
        kept.put(path, { begun, known })
        return known
      })
    },
  }
}
