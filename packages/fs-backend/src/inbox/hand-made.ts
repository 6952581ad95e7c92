import type { Stats } from 'node:fs'
import type { Clock } from '@nexus/core'

/** How long a file that others write must stand still before it is taken for whole, in milliseconds. */
export const settleMs = 500

interface Seen {
  size: number
  modified: number
  /** Monotonic time at which it was first seen like this. */
  since: number
}

/**
 * Whether files that people and other programs write in place are whole. An old modification time says so at once; a
 * file whose time lies in the future (another host's clock, a changed clock) has to be seen standing still.
 */
export const createSettling = (clock: Clock) => {
  const seen = new Map<string, Seen>()
  return {
    isSettled(id: string, { size, mtimeMs }: Stats): boolean {
      if (clock.now() - mtimeMs >= settleMs) {
        seen.delete(id)
        return true
      }
      const before = seen.get(id)
      if (before?.size === size && before.modified === mtimeMs) return clock.monotonic() - before.since >= settleMs
      seen.set(id, { size, modified: mtimeMs, since: clock.monotonic() })
      return false
    },
    forgetUnless(isThere: (id: string) => boolean): void {
      for (const id of seen.keys()) if (!isThere(id)) seen.delete(id)
    },
  }
}

/** The same file with the same content, as far as the file system tells. */
export const isUnchanged = (before: Stats, after: Stats): boolean =>
  before.ino === after.ino && before.size === after.size && before.mtimeMs === after.mtimeMs
