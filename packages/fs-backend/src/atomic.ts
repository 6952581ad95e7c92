import { basename, dirname, relative, sep } from 'node:path'
import type { Folder, WithFolder } from './folder.ts'
import { errnoOf, isAbsent, storeErrorOf } from './fs-errors.ts'
import { flags, sys } from './syscalls.ts'

export type Bytes = Uint8Array | string

/**
 * The only code that writes files. When a promise resolves the effect is on the disk; where it rejects, the old content
 * is whole, and the error's `outcome` says whether the new one may be there. Paths come from `layout` and lie below the
 * root; no symlink is followed on the way or at the end. [C-FILES-2, C-FILES-3]
 */
export interface Atomic {
  /** Makes the folder and those above it. Each one is synced in its parent, also where a crashed process made it. */
  makeFolder(path: string): Promise<void>
  /** Of racing calls one is `created`. `exists` is as durable as `created`: it may be acknowledged. */
  createOnce(path: string, bytes: Bytes): Promise<'created' | 'exists'>
  replace(path: string, bytes: Bytes): Promise<void>
  /** Renames, over what is at `to`. Of racing calls for one `from` one is `moved`. */
  move(from: string, to: string): Promise<'moved' | 'absent'>
  /** Makes `to` another name of the file `from`, never over what is there. */
  linkOnce(from: string, to: string): Promise<'created' | 'exists' | 'absent'>
  remove(path: string): Promise<'removed' | 'absent'>
  /** Makes durable what was seen in the folder. To be called before acknowledging something only read. */
  syncFolder(path: string): Promise<void>
}

export interface AtomicParts {
  root: string
  /** The folder of temp files, on the file system of the root. */
  tempFolder: string
  withFolder: WithFolder
  tempName(): string
}

const writeAll = async (fd: number, bytes: Uint8Array): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await sys.write(fd, bytes, done, bytes.length - done)
    done += bytesWritten
  }
}

const quietly = async (work: Promise<unknown>): Promise<void> => {
  await work.catch(() => undefined)
}

/** A failed fsync leaves nothing to trust: the temp file goes, the error stays, and the next call writes a new one. */
const writeTemp = async (path: string, bytes: Uint8Array): Promise<void> => {
  const fd = await sys.open(path, flags.O_WRONLY | flags.O_CREAT | flags.O_EXCL | flags.O_NOFOLLOW, 0o600)
  try {
    try {
      await writeAll(fd, bytes)
      await sys.fsync(fd)
    } finally {
      await sys.close(fd)
    }
  } catch (error) {
    await quietly(sys.unlink(path))
    throw error
  }
}

/** What fails after the name is in its place may or may not survive. */
const settle = async (path: string, folders: readonly Folder[]): Promise<void> => {
  for (const folder of folders) {
    try {
      await folder.sync()
    } catch (error) {
      throw storeErrorOf(error, path, 'unknown')
    }
  }
}

const link = async (from: string, to: string): Promise<'created' | 'exists' | 'absent'> => {
  try {
    await sys.link(from, to)
    return 'created'
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return 'exists'
    if (isAbsent(error)) return 'absent'
    throw error
  }
}

const createFolders = ({ root, withFolder }: AtomicParts): Pick<Atomic, 'makeFolder'>['makeFolder'] => {
  const synced = new Set<string>([root])
  const exists = (path: string): Promise<boolean> =>
    withFolder(path, async () => true).catch((error: unknown) => {
      if (isAbsent(error)) return false
      throw error
    })
  const make = async (path: string): Promise<void> => {
    if (path !== root && relative(root, path).split(sep)[0] === '..') throw new Error(`${path} lies outside ${root}`)
    if (synced.has(path) && (path === root || (await exists(path)))) return
    await make(dirname(path))
    await withFolder(dirname(path), async (parent) => {
      await sys.mkdir(parent.at(basename(path))).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error
      })
      await parent.sync()
    })
    await withFolder(path, async () => undefined)
    synced.add(path)
  }
  return async (path) => {
    try {
      await make(path)
    } catch (error) {
      throw storeErrorOf(error, path)
    }
  }
}

export const createAtomic = (parts: AtomicParts): Atomic => {
  const { tempFolder, withFolder, tempName } = parts
  const makeFolder = createFolders(parts)

  /** Runs `work` with the target's folder open, making it where it is missing. */
  const inFolder = async <T>(path: string, work: (folder: Folder, name: string) => Promise<T>): Promise<T> => {
    const folderPath = dirname(path)
    const once = (): Promise<T> => withFolder(folderPath, (folder) => work(folder, basename(path)))
    try {
      await makeFolder(folderPath)
      return await once()
    } catch (error) {
      throw storeErrorOf(error, path)
    }
  }

  const withTemp = <T>(path: string, bytes: Bytes, place: (temp: string, folder: Folder, name: string) => Promise<T>) =>
    inFolder(path, async (folder, name) => {
      await makeFolder(tempFolder)
      return withFolder(tempFolder, async (temps) => {
        const temp = temps.at(tempName())
        await writeTemp(temp, typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
        try {
          return await place(temp, folder, name)
        } catch (error) {
          await quietly(sys.unlink(temp))
          throw error
        }
      })
    })

  /** Absent folders mean absent files: nothing is made for a `from` that is not there. */
  const fromFolder = async <T>(path: string, work: (folder: Folder, name: string) => Promise<T | 'absent'>) => {
    try {
      return await withFolder(dirname(path), (folder) => work(folder, basename(path)))
    } catch (error) {
      if (isAbsent(error)) return 'absent' as const
      throw storeErrorOf(error, path)
    }
  }

  return {
    makeFolder,
    createOnce: (path, bytes) =>
      withTemp(path, bytes, async (temp, folder, name) => {
        const result = await link(temp, folder.at(name))
        if (result === 'absent') throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
        await settle(path, [folder])
        await quietly(sys.unlink(temp))
        return result
      }),
    replace: (path, bytes) =>
      withTemp(path, bytes, async (temp, folder, name) => {
        await sys.rename(temp, folder.at(name))
        await settle(path, [folder])
      }),
    move: (from, to) =>
      fromFolder(from, (source, name) =>
        inFolder(to, async (target, newName) => {
          try {
            await sys.rename(source.at(name), target.at(newName))
          } catch (error) {
            if (isAbsent(error)) return 'absent'
            throw error
          }
          await settle(to, source.path === target.path ? [target] : [target, source])
          return 'moved'
        }),
      ),
    linkOnce: (from, to) =>
      fromFolder(from, (source, name) =>
        inFolder(to, async (target, newName) => {
          const result = await link(source.at(name), target.at(newName))
          if (result !== 'absent') await settle(to, [target])
          return result
        }),
      ),
    remove: (path) =>
      fromFolder(path, async (folder, name) => {
        await sys.unlink(folder.at(name))
        await settle(path, [folder])
        return 'removed' as const
      }),
    async syncFolder(path) {
      try {
        await withFolder(path, (folder) => folder.sync())
      } catch (error) {
        throw storeErrorOf(error, path)
      }
    },
  }
}
