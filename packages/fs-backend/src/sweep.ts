import { join } from 'node:path'
import type { Atomic } from './atomic.ts'
import type { Layout } from './layout.ts'
import type { Reading } from './reading.ts'
import type { Revisions } from './revisions/revisions.ts'

/**
 * Where the maker cannot be asked (another host), a temp file this old is a stray: no write takes an hour. Measured with
 * the clock that stamps files, not with the injected one.
 */
const strayAgeMs = 3_600_000

/** The record whose revision a token belongs to, or null for a plain temp file. */
const recordOf = (name: string): string | null => /\.([0-9a-f]{32})\.\d+$/.exec(name)?.[1] ?? null

interface Sweep {
  reading: Reading
  atomic: Atomic
  revisions: Revisions
  layout: Layout
  isStray(name: string): boolean
}

/**
 * Finishes what killed processes had decided, and removes the other temp files that killed processes left. One that was wrongly taken for a stray costs its maker an error, never
 * data: the rename that would have put it in place finds nothing. [C-FILES-2]
 */
export const sweepTemps = async ({ reading, atomic, revisions, layout, isStray }: Sweep): Promise<void> => {
  for (const name of await reading.files(layout.temp)) {
    const path = join(layout.temp, name)
    const stat = isStray(name) ? null : await reading.stat(path)
    if (stat && Date.now() - stat.mtimeMs < strayAgeMs) continue
    const record = recordOf(name)
    if (record) await revisions.finish(record).catch(() => undefined)
    await atomic.loose.remove(path).catch(() => undefined)
  }
}
