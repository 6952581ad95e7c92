import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '@nexus/core'

interface Answer<T> {
  /** As last read; null where it could never be read. */
  value: T | null
  /** Why it is not of now; null where it is. */
  problem: string | null
}

/** Reads, unless that was tried within so many milliseconds. Who asks waits a bounded time, and never fails. */
export type Reading<T> = (maxAgeMs: number) => Promise<Answer<T>>

export interface ReadingOptions<T> {
  clock: Pick<Clock, 'monotonic'>
  read(): Promise<T>
  /** The longest that anybody waits for it, in milliseconds. What comes later is there for who asks next. */
  waitMs: number
}

const endsWithin = async (work: Promise<void>, ms: number): Promise<boolean> => {
  const over = new AbortController()
  const late = delay(ms, false, { signal: over.signal, ref: false }).catch(() => false)
  const isOver = await Promise.race([work.then(() => true), late])
  over.abort()
  return isOver
}

/** Something that is asked more often than it should be read: one read at a time, shared by all who ask meanwhile. */
export const createReading = <T>({ clock, read, waitMs }: ReadingOptions<T>): Reading<T> => {
  let known: Answer<T> = { value: null, problem: null }
  let triedAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null

  const readOnce = async (): Promise<void> => {
    try {
      known = { value: await read(), problem: null }
    } catch (error) {
      known = { value: known.value, problem: error instanceof Error ? error.message : String(error) }
    }
    triedAt = clock.monotonic()
  }

  return async (maxAgeMs) => {
    if (!reading && clock.monotonic() - triedAt >= maxAgeMs)
      reading = readOnce().finally(() => {
        reading = null
      })
    if (reading && !(await endsWithin(reading, waitMs)))
      return { value: known.value, problem: `no answer within ${waitMs} ms` }
    return known
  }
}
