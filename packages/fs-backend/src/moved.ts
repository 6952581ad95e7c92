import { lstatSync, readFileSync } from 'node:fs'
import {
  isStoreError,
  type Moved,
  movedAway,
  type Outcome,
  parseJson,
  StoreError,
  type StoreName,
  storeNames,
  storeVariables,
} from '@nexus/core'
import { z } from 'zod'
import type { Atomic } from './atomic.ts'
import { encodeJson } from './documents.ts'
import { storeErrorOf, unsure } from './fs-errors.ts'
import type { Layout } from './layout.ts'

const Mark = z.object({ store: z.enum(storeNames), to: z.string(), at: z.coerce.date(), by: z.string().optional() })

/** Which stores have moved to another backend. What says so lies in the root, so every process on it knows at its next call. */
export interface Marks {
  /** Where the store went; asking costs two microseconds where it is at home. */
  present(store: StoreName): Moved | null
  isMoved(store: StoreName): boolean
  /** Throws `unavailable`, with `movedTo`, where the store has moved. */
  check(store: StoreName, outcome?: Outcome): void
  /** Answers the mark that another move has put, which stays. */
  mark(moved: Moved, over: readonly string[]): Promise<Moved | null>
  /** That mark, without putting one. */
  inTheWay(moved: Moved, over: readonly string[]): Moved | null
  unmark(store: StoreName): Promise<void>
}

export const createMarks = (layout: Layout, atomic: Atomic): Marks => {
  const isThere = (store: StoreName): boolean => {
    const path = layout.movedStore(store)
    try {
      return lstatSync(path, { throwIfNoEntry: false }) !== undefined
    } catch (error) {
      throw storeErrorOf(error, path)
    }
  }

  const read = (store: StoreName): Moved => {
    const path = layout.movedStore(store)
    const parsed = parseJson(readFileSync(path, 'utf8'))
    const mark = Mark.safeParse(parsed.ok ? parsed.value : null)
    if (mark.success) return mark.data
    throw new StoreError({
      code: 'unavailable',
      message: `${path} says that ${store} moved to another backend, but it cannot be read. Set ${storeVariables[store]} to that backend; if ${store} never moved, remove the file.`,
    })
  }

  const present = (store: StoreName): Moved | null => {
    try {
      return isThere(store) ? read(store) : null
    } catch (error) {
      // Taken away between the two looks.
      if (!isStoreError(error) && !isThere(store)) return null
      throw storeErrorOf(error, layout.movedStore(store))
    }
  }

  const inTheWay: Marks['inTheWay'] = ({ store, by }, over) => {
    const there = present(store)
    const isReplaced = there?.by === undefined || there.by === by || over.includes(there.by)
    return isReplaced ? null : there
  }

  return {
    present,
    inTheWay,
    isMoved: isThere,
    check(store, outcome = 'not-applied') {
      const moved = present(store)
      if (!moved) return
      const refusal = movedAway(moved)
      throw outcome === 'unknown' ? unsure(refusal) : refusal
    },
    async mark(moved, over) {
      const { store, to, at, by } = moved
      const path = layout.movedStore(store)
      const bytes = encodeJson({ store, to, at: at.toISOString(), ...(by !== undefined && { by }) })
      // Of two moves one makes it. What may be replaced belongs to the move itself, which one process at a time is at.
      if ((await atomic.createOnce(path, bytes)) === 'created') return null
      const other = inTheWay(moved, over)
      if (!other) await atomic.replace(path, bytes)
      return other
    },
    async unmark(store) {
      await atomic.remove(layout.movedStore(store))
    },
  }
}

/** A store's verb as it is while the store may move away. */
export type AtHome = <A extends unknown[], R>(verb: (...args: A) => Promise<R>) => (...args: A) => Promise<R>

/**
 * What is acknowledged was done before the store moved: asked before, so that nothing begins, and again before the
 * answer, since another process may set the mark while a verb is at work. What such a verb left is not acknowledged.
 */
export const createAtHome =
  (marks: Marks, store: StoreName, isClosed: () => boolean): AtHome =>
  (verb) =>
  async (...args) => {
    if (!isClosed()) marks.check(store)
    const answer = await verb(...args)
    marks.check(store, 'unknown')
    return answer
  }
