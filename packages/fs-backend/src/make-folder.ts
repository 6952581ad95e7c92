import { basename, dirname, relative, sep } from 'node:path'
import type { WithFolder } from './folder.ts'
import { errnoOf, isAbsent, storeErrorOf } from './fs-errors.ts'
import { sys } from './syscalls.ts'

export interface Folders {
  make(path: string): Promise<void>
  /** Runs `work` with the folder made where it is missing. */
  ensure<T>(path: string, work: () => Promise<T>): Promise<T>
}

/**
 * Each folder is synced in its parent once by every process that uses it: the one that made it may have been killed
 * before it did.
 */
export const createFolders = (root: string, withFolder: WithFolder): Folders => {
  const synced = new Set<string>([root])

  const makeOne = async (path: string): Promise<void> => {
    await withFolder(dirname(path), async (parent) => {
      await sys.mkdir(parent.at(basename(path))).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw error
      })
      await parent.sync()
    })
    await withFolder(path, async () => undefined)
    synced.add(path)
  }

  const exists = (path: string): Promise<boolean> =>
    withFolder(path, async () => true).catch((error: unknown) => {
      if (isAbsent(error)) return false
      throw error
    })

  const make = async (path: string): Promise<void> => {
    if (path === root) return
    if (relative(root, path).split(sep)[0] === '..') throw new Error(`${path} lies outside ${root}`)
    if (synced.has(path) && (await exists(path))) return
    await make(dirname(path))
    await makeOne(path)
  }

  return {
    async make(path) {
      try {
        await make(path)
      } catch (error) {
        throw storeErrorOf(error, path)
      }
    },
    async ensure(path, work) {
      if (!synced.has(path)) await make(path)
      try {
        return await work()
      } catch (error) {
        if (!isAbsent(error) || (await exists(path))) throw error
        await make(path)
        return work()
      }
    },
  }
}
