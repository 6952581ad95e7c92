import type { Stats } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type Bulk, createBulk } from './bulk.ts'
import type { Folder, WithFolder } from './folder.ts'
import { isAbsent, storeErrorOf } from './fs-errors.ts'
import { createFolders, type Folders } from './make-folder.ts'
import { append, type Bytes, link, quietly, rename, settle, writeTemp } from './steps.ts'
import { sys } from './syscalls.ts'

export type { Bytes } from './steps.ts'

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
  readonly bulk: Bulk
  /** Of one process's writes, or for living processes only: nothing of these is on the disk before something else syncs it. */
  readonly loose: LooseSteps
}

/** Steps of a longer protocol. A power cut may undo each of them alone; the protocol says why that is harmless. */
interface LooseSteps {
  /** A new file whose bytes are on the disk, its name not yet. */
  stage(path: string, bytes: Bytes, modified: Date): Promise<Stats>
  createOnce(path: string, bytes: Bytes): Promise<'created' | 'exists'>
  link(from: string, to: string): Promise<'created' | 'exists' | 'absent'>
  move(from: string, to: string): Promise<'moved' | 'absent'>
  /** Puts it at the end of the file, in one write. */
  append(path: string, text: string): Promise<Stats>
  remove(path: string): Promise<'removed' | 'absent'>
  /** An empty one. */
  removeFolder(path: string): Promise<'removed' | 'absent'>
}

export interface AtomicParts {
  root: string
  /** The folder of temp files, on the file system of the root. */
  tempFolder: string
  withFolder: WithFolder
  tempName(): string
}

type At<T> = (folder: Folder, name: string) => Promise<T>

interface Places {
  /** Runs `work` with the path's folder open, making it where it is missing. */
  inFolder<T>(path: string, work: At<T>): Promise<T>
  /** An absent folder means an absent file: nothing is made for what is not there. */
  fromFolder<T>(path: string, work: At<T | 'absent'>): Promise<T | 'absent'>
  withTemp<T>(path: string, bytes: Bytes, how: { isLoose: boolean }, place: (temp: string) => At<T>): Promise<T>
}

const createPlaces = (
  { tempFolder, withFolder, tempName }: AtomicParts,
  folders: Folders,
): Places & Pick<Atomic, 'makeFolder'> => {
  const at = <T>(path: string, work: At<T>): Promise<T> =>
    withFolder(dirname(path), (folder) => work(folder, basename(path)))
  const inFolder = async <T>(path: string, work: At<T>): Promise<T> => {
    try {
      return await folders.ensure(dirname(path), () => at(path, work))
    } catch (error) {
      throw storeErrorOf(error, path)
    }
  }
  return {
    makeFolder: (path) => folders.make(path),
    inFolder,
    async fromFolder(path, work) {
      try {
        return await at(path, work)
      } catch (error) {
        if (isAbsent(error)) return 'absent'
        throw storeErrorOf(error, path)
      }
    },
    withTemp: (path, bytes, how, place) =>
      inFolder(path, (folder, name) =>
        folders.ensure(tempFolder, () =>
          withFolder(tempFolder, async (temps) => {
            const temp = temps.at(tempName())
            await writeTemp(temp, bytes, how)
            try {
              return await place(temp)(folder, name)
            } finally {
              await quietly(sys.unlink(temp))
            }
          }),
        ),
      ),
  }
}

const linkTemp =
  (path: string, isLoose: boolean) =>
  (temp: string): At<'created' | 'exists'> =>
  async (folder, name) => {
    const result = await link(temp, folder.at(name))
    if (result === 'absent') throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    if (!isLoose) await settle(path, [folder])
    return result
  }

const createLooseSteps = ({ inFolder, fromFolder, withTemp }: Places): LooseSteps => ({
  stage: (path, bytes, modified) => inFolder(path, (folder, name) => writeTemp(folder.at(name), bytes, { modified })),
  createOnce: (path, bytes) => withTemp(path, bytes, { isLoose: true }, linkTemp(path, true)),
  link: (from, to) =>
    fromFolder(from, (source, name) => inFolder(to, (target, newName) => link(source.at(name), target.at(newName)))),
  move: (from, to) =>
    fromFolder(from, (source, name) => inFolder(to, (target, newName) => rename(source.at(name), target.at(newName)))),
  append: (path, text) => inFolder(path, (folder, name) => append(folder.at(name), text)),
  remove: (path) =>
    fromFolder(path, async (folder, name) => {
      await sys.unlink(folder.at(name))
      return 'removed'
    }),
  removeFolder: (path) =>
    fromFolder(path, async (folder, name) => {
      await sys.rmdir(folder.at(name))
      return 'removed'
    }),
})

export const createAtomic = (parts: AtomicParts): Atomic => {
  const folders = createFolders(parts.root, parts.withFolder)
  const places = createPlaces(parts, folders)
  const { inFolder, fromFolder, withTemp, makeFolder } = places
  return {
    makeFolder,
    bulk: createBulk(parts, folders),
    loose: createLooseSteps(places),
    createOnce: (path, bytes) => withTemp(path, bytes, { isLoose: false }, linkTemp(path, false)),
    replace: (path, bytes) =>
      withTemp(path, bytes, { isLoose: false }, (temp) => async (folder, name) => {
        await sys.rename(temp, folder.at(name))
        await settle(path, [folder])
      }),
    move: (from, to) =>
      fromFolder(from, (source, name) =>
        inFolder(to, async (target, newName) => {
          if ((await rename(source.at(name), target.at(newName))) === 'absent') return 'absent'
          // A temp name that a power cut brings back is swept, so its folder needs no sync.
          const isOwn = source.path === target.path || source.path === parts.tempFolder
          await settle(to, isOwn ? [target] : [target, source])
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
        return 'removed'
      }),
    async syncFolder(path) {
      try {
        await parts.withFolder(path, (folder) => folder.sync())
      } catch (error) {
        throw storeErrorOf(error, path)
      }
    },
  }
}
