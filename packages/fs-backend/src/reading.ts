import type { Dirent, Stats } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { OpenFolder, WithFolder } from './folder.ts'
import { errnoOf, storeErrorOf } from './fs-errors.ts'
import { flags, sys } from './syscalls.ts'

export interface ReadFile {
  bytes: Buffer
  stat: Stats
}

/** Reading below the root. What is no plain file (a symlink, a folder, a pipe) is no record and reads as absent. [C-FILES-3] */
export interface Reading {
  /** A file longer than `most` bytes comes without them: its stat says how long it is. */
  read(path: string, most?: number): Promise<ReadFile | null>
  /** Null where there is no plain file. */
  stat(path: string): Promise<Stats | null>
  /** True where something lies that is no plain file. */
  isObstructed(path: string): Promise<boolean>
  /** Names of plain files; empty where the folder is absent or a symlink. */
  files(path: string): Promise<string[]>
  /** Runs `work` with the folder held open; `absent` where there is none, or a symlink, or it vanishes meanwhile. */
  within<T>(path: string, absent: T, work: (folder: OpenFolder) => Promise<T>): Promise<T>
  /** The same of a folder that never holds more than a few: they are read at once. */
  fewFiles(path: string): Promise<string[]>
  /** Runs `work`, which opens the folder only once whatever it does there; where there is none, `work` may make it. */
  holding<T>(path: string, work: () => Promise<T>): Promise<T>
  /** Names of folders that are not hidden; empty where the folder is absent or a symlink. */
  folders(path: string): Promise<string[]>
}

const noRecordCodes: ReadonlySet<string> = new Set(['ENOENT', 'ELOOP', 'ENOTDIR', 'ENAMETOOLONG', 'ENXIO', 'EISDIR'])

/** What the system says of something that is no record: it is not there, or no plain file. */
export const isNoRecord = (error: unknown): boolean => noRecordCodes.has(errnoOf(error) ?? '')

/** O_NONBLOCK: a pipe put in a record's place must not hang the store. */
export const howToRead = flags.O_RDONLY | flags.O_NOFOLLOW | flags.O_NONBLOCK

/** Nothing of a file that is, or meanwhile grows, longer than `most`. */
const readAll = async (fd: number, stat: Stats, most: number): Promise<Buffer> => {
  if (stat.size > most) return Buffer.alloc(0)
  const chunks: Buffer[] = []
  let total = 0
  for (let size = Math.max(stat.size + 1, 64); ; size = 65_536) {
    const chunk = Buffer.allocUnsafe(size)
    const { bytesRead } = await sys.read(fd, chunk, 0, size, null)
    if (bytesRead > 0) chunks.push(chunk.subarray(0, bytesRead))
    total += bytesRead
    if (total > most) return Buffer.alloc(0)
    // A file is over where it gives less than was asked for.
    if (bytesRead < size) return chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)
  }
}

export const createReading = (withFolder: WithFolder): Reading => {
  const lookup = async <T>(path: string, absent: T, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (isNoRecord(error)) return absent
      throw storeErrorOf(error, path)
    }
  }
  const entries = (path: string): Promise<Dirent[]> =>
    lookup(path, [], () => withFolder(path, (folder) => sys.readdir(folder.at('.'), { withFileTypes: true })))
  const namesOf = (found: readonly Dirent[]): string[] =>
    found.filter((entry) => entry.isFile()).map((entry) => entry.name)
  return {
    read: (path, most = Number.POSITIVE_INFINITY) =>
      lookup(path, null, () =>
        withFolder(dirname(path), async (folder) => {
          const fd = await sys.open(folder.at(basename(path)), howToRead)
          try {
            const stat = await sys.fstat(fd)
            return stat.isFile() ? { bytes: await readAll(fd, stat, most), stat } : null
          } finally {
            await sys.close(fd)
          }
        }),
      ),
    stat: (path) =>
      lookup(path, null, () =>
        withFolder(dirname(path), async (folder) => {
          const stat = await sys.lstat(folder.at(basename(path)))
          return stat.isFile() ? stat : null
        }),
      ),
    isObstructed: (path) =>
      lookup(path, false, () =>
        withFolder(dirname(path), async (folder) => !(await sys.lstat(folder.at(basename(path)))).isFile()),
      ),
    within: (path, absent, work) => lookup(path, absent, () => withFolder(path, work)),
    async files(path) {
      return namesOf(await entries(path))
    },
    fewFiles: (path) =>
      lookup(path, [], () => withFolder(path, async (folder) => namesOf(await sys.readdirAtOnce(folder.at('.'))))),
    async holding(path, work) {
      let isHeld = false
      const heldWork = () => {
        isHeld = true
        return work()
      }
      try {
        return await withFolder(path, heldWork)
      } catch (error) {
        // What keeps the folder from being opened is for `work` to meet, and to tell.
        if (isHeld) throw error
        return work()
      }
    },
    async folders(path) {
      return (await entries(path))
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
        .map((entry) => entry.name)
    },
  }
}
