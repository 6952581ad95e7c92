import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readSync, type Stats } from 'node:fs'
import type { OpenFolder } from './folder.ts'
import { howToRead, isNoRecord, type ReadFile } from './reading.ts'

/** Null where nothing is there, or no record. */
const orNull = <T>(work: () => T): T | null => {
  try {
    return work()
  } catch (error) {
    if (isNoRecord(error)) return null
    throw error
  }
}

/** A file is over where it gives less than was asked for; one that grew since its stat was taken is read to its end. */
const readAll = (fd: number, { size }: Stats): Buffer => {
  const bytes = Buffer.allocUnsafe(size + 1)
  const count = readSync(fd, bytes, 0, bytes.length, null)
  return count < bytes.length ? bytes.subarray(0, count) : Buffer.concat([bytes, readFileSync(fd)])
}

/**
 * Reading at once, in a folder that is held open. For many small files in slices: a promise for each costs ten times the
 * work.
 */
export const look = {
  stat: (folder: OpenFolder, name: string): Stats | null => orNull(() => lstatSync(folder.at(name))),

  /** A file longer than `most` bytes comes without them. */
  read: (folder: OpenFolder, name: string, most = Number.POSITIVE_INFINITY): ReadFile | null =>
    orNull(() => {
      const fd = openSync(folder.at(name), howToRead)
      try {
        const stat = fstatSync(fd)
        if (!stat.isFile()) return null
        return { bytes: stat.size > most ? Buffer.alloc(0) : readAll(fd, stat), stat }
      } finally {
        closeSync(fd)
      }
    }),

  names: (folder: OpenFolder): string[] => readdirSync(folder.at('.')),

  inside: <T>(folder: OpenFolder, path: string, work: (folder: OpenFolder) => T): T | null =>
    orNull(() => folder.inside(path, work)),

  /** By its whole path: whether something may be there, which is then read as everything is. */
  isThere: (path: string): boolean => (orNull(() => lstatSync(path, { throwIfNoEntry: false })) ?? null) !== null,
} as const
