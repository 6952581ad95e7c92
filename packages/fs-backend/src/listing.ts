import type { Dir, Dirent } from 'node:fs'
import { errnoOf, isAbsent, storeErrorOf } from './fs-errors.ts'
import { sys } from './syscalls.ts'
import type { FsTools } from './tools.ts'

/** Listing folders of any size: what is held at a time does not grow with them. */
export interface Listing {
  /**
   * Names of plain files, some hundred at a time; none where the folder is absent or a symlink. Ends early where `take`
   * answers false.
   */
  names(folder: string, take: (names: string[]) => Promise<unknown> | unknown): Promise<void>
  /** The same with the names of folders that are not hidden. */
  folders(folder: string, take: (names: string[]) => Promise<unknown> | unknown): Promise<void>
  /** Those of the names that are names of nothing in the folder. */
  absent(folder: string, names: readonly string[]): Promise<string[]>
  /** What changes with the names in the folder, as finely as the file system stamps; null where it is absent. */
  stamp(folder: string): Promise<string | null>
}

const together = 512

/** Null at the end. One wait for all of them: each by itself would cost ten times as much. */
const nextNames = async (dir: Dir, isWanted: (entry: Dirent) => boolean): Promise<string[] | null> => {
  let entry = await dir.read()
  if (entry === null) return null
  const names: string[] = []
  for (let read = 1; ; read += 1) {
    if (entry && isWanted(entry)) names.push(entry.name)
    if (entry === null || read === together) return names
    // Read already, together with the first.
    entry = dir.readSync()
  }
}

const noFolder: ReadonlySet<string> = new Set(['ENOENT', 'ELOOP', 'ENOTDIR'])

export const createListing = ({ withFolder }: Pick<FsTools, 'withFolder'>): Listing => {
  const lookup = async <T>(path: string, absent: T, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (noFolder.has(errnoOf(error) ?? '')) return absent
      throw storeErrorOf(error, path)
    }
  }
  const listed = (isWanted: (entry: Dirent) => boolean): Listing['names'] => {
    return (path, take) =>
      lookup(path, undefined, () =>
        withFolder(path, async (folder) => {
          const dir = await sys.opendir(folder.at('.'), { bufferSize: together })
          try {
            for (let isGoing: unknown = true; isGoing !== false; ) {
              const names = await nextNames(dir, isWanted)
              if (names === null) return
              isGoing = names.length > 0 ? await take(names) : true
            }
          } finally {
            await dir.close()
          }
        }),
      )
  }
  return {
    names: listed((entry) => entry.isFile()),
    folders: listed((entry) => entry.isDirectory() && !entry.name.startsWith('.')),
    absent: (path, names) =>
      lookup(path, [...names], () =>
        withFolder(path, async (folder) => {
          const missing: string[] = []
          for (const name of names)
            await sys.lstat(folder.at(name)).catch((error: unknown) => {
              if (!isAbsent(error)) throw error
              missing.push(name)
            })
          return missing
        }),
      ),
    stamp: (path) =>
      lookup(path, null, () =>
        withFolder(path, async (folder) => {
          const { ino, mtimeMs, ctimeMs } = await sys.lstat(folder.at('.'))
          return `${ino} ${mtimeMs} ${ctimeMs}`
        }),
      ),
  }
}
