import type { Stats } from 'node:fs'

/** What tells a file, or a folder of ours, from itself after a change. */
export interface Stamp {
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

/** The time of modification alone says too little: anybody can set it back. */
export const isUnchanged = (known: Stamp, stat: Stats): boolean =>
  known.ctimeMs === stat.ctimeMs && known.mtimeMs === stat.mtimeMs && known.size === stat.size && known.ino === stat.ino

/** The coarsest clock of any file system in use (FAT); most count in milliseconds. */
const coarsestTickMs = 2000

/**
 * Whether a file that was looked at then shows in its stamp every change made since. One that had just changed may change
 * once more within the same tick of the file system's clock, and its stamp stays.
 */
export const isTelling = ({ ctimeMs }: Stats, lookedAt: number): boolean => lookedAt - ctimeMs > coarsestTickMs
