import { join } from 'node:path'
import type { Atomic } from './atomic.ts'
import type { Reading } from './reading.ts'

/** Where the maker cannot be asked (another host), a temp file this old is a stray: no write takes an hour. */
const strayAgeMs = 3_600_000

interface Sweep {
  reading: Reading
  atomic: Atomic
  folder: string
  isStray(name: string): boolean
}

/**
 * Removes temp files that killed processes left. One that was wrongly taken for a stray costs its maker an error, never
 * data: the rename that would have put it in place finds nothing. [C-FILES-2]
 */
export const sweepTemps = async ({ reading, atomic, folder, isStray }: Sweep): Promise<void> => {
  for (const name of await reading.files(folder)) {
    const path = join(folder, name)
    const stat = isStray(name) ? null : await reading.stat(path)
    if (stat && Date.now() - stat.mtimeMs < strayAgeMs) continue
    await atomic.remove(path).catch(() => undefined)
  }
}
