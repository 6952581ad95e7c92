import { basename, dirname } from 'node:path'
import type { AtomicParts } from './atomic.ts'
import { each } from './each.ts'
import type { Folder, OpenFolder, WithFolder } from './folder.ts'
import { errnoOf, isAbsent, storeErrorOf } from './fs-errors.ts'
import type { Folders } from './make-folder.ts'
import { type Bytes, link, quietly, settle, writeTemp } from './steps.ts'
import { sys } from './syscalls.ts'

/** A file that is not there yet. */
export interface NewFile {
  path: string
  bytes: Bytes
  modified: Date
  /** Further names of it, each of which it gets before its own where that name is free. */
  also?: readonly string[] | undefined
}

/**
 * Many files at once. What one costs alone is the wait for the disk, several times; here the bytes wait side by side,
 * and each folder is synced once for all its new names.
 */
export interface Bulk {
  /**
   * Makes each that is not there: whole and on the disk before its name, never over what has it. Resolves to the names,
   * further ones included, that were taken. A crash leaves some of them, whole, and temp files.
   */
  create(files: readonly NewFile[]): Promise<ReadonlySet<string>>
  /** Makes durable what was seen in the folders. */
  sync(folders: Iterable<string>): Promise<void>
}

/** More than the threads that wait for the disk: while those wait, the next is prepared. */
const together = 8

interface NewName {
  temp: string
  path: string
}

const byFolder = (names: readonly NewName[]): Map<string, NewName[]> => {
  const folders = new Map<string, NewName[]>()
  for (const name of names) {
    const folder = dirname(name.path)
    const inIt = folders.get(folder)
    if (inIt) inIt.push(name)
    else folders.set(folder, [name])
  }
  return folders
}

/** The names of many files, and the folders that hold them. */
const createNaming = (withFolder: WithFolder) => {
  /** Its parent is there; it is synced in it with the others. */
  const inMade = async <T>(path: string, work: (folder: Folder) => Promise<T>): Promise<T> => {
    try {
      return await withFolder(path, work)
    } catch (error) {
      if (!isAbsent(error)) throw error
    }
    await withFolder(dirname(path), (parent) =>
      sys.mkdir(parent.at(basename(path))).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error
      }),
    )
    return withFolder(path, work)
  }

  const sync = (paths: Iterable<string>): Promise<void> =>
    each(paths, together, async (path) => {
      try {
        await withFolder(path, (folder) => settle(path, [folder]))
      } catch (error) {
        throw storeErrorOf(error, path, 'unknown')
      }
    })

  /** Resolves to the paths that were taken. */
  const linkAll = async (temps: OpenFolder, names: readonly NewName[]): Promise<string[]> => {
    const taken: string[] = []
    await each(byFolder(names), together, async ([path, inIt]) => {
      try {
        await inMade(path, async (folder) => {
          for (const name of inIt)
            if ((await link(temps.at(name.temp), folder.at(basename(name.path)))) === 'exists') taken.push(name.path)
        })
      } catch (error) {
        throw storeErrorOf(error, path, 'unknown')
      }
    })
    return taken
  }
  return { linkAll, sync }
}

export const createBulk = ({ tempFolder, tempName, withFolder }: AtomicParts, folders: Folders): Bulk => {
  const { linkAll, sync } = createNaming(withFolder)

  const place = async (temps: OpenFolder, staged: ReadonlyMap<NewFile, string>): Promise<ReadonlySet<string>> => {
    const others = [...staged].flatMap(([{ also = [] }, temp]) => also.map((path) => ({ temp, path })))
    const own = [...staged].map(([{ path }, temp]) => ({ temp, path }))
    const parents = new Set([...others, ...own].map(({ path }) => dirname(dirname(path))))
    for (const parent of parents) await folders.make(parent)
    const taken = [...(await linkAll(temps, others)), ...(await linkAll(temps, own))]
    await sync(new Set([...others, ...own].map(({ path }) => dirname(path))))
    await sync(parents)
    return new Set(taken)
  }

  return {
    sync,
    async create(files) {
      if (files.length === 0) return new Set()
      await folders.make(tempFolder)
      return withFolder(tempFolder, async (temps) => {
        const staged = new Map(files.map((file) => [file, tempName()]))
        try {
          await each(staged, together, async ([file, temp]) => {
            try {
              // Of an empty one the name says it all, and that is synced with its folder.
              await writeTemp(temps.at(temp), file.bytes, { modified: file.modified, isLoose: file.bytes.length === 0 })
            } catch (error) {
              throw storeErrorOf(error, file.path)
            }
          })
          return await place(temps, staged)
        } finally {
          for (const temp of staged.values()) await quietly(sys.unlink(temps.at(temp)))
        }
      })
    },
  }
}
