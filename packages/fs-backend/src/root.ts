import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { StoreError } from '@nexus/core'
import { errnoOf, isAbsent, storeErrorOf } from './fs-errors.ts'
import { flags, sys } from './syscalls.ts'

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

const makeOne = async (path: string): Promise<string[]> => {
  try {
    await sys.mkdir(path)
    return [path]
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' && (await isFolder(path))) return []
    throw error
  }
}

/**
 * Makes the folder and those above it that are missing; resolves to those it made, topmost first. Node's own recursive
 * mkdir never ends below a folder that is there and says ENOENT to every new name, as /proc does.
 */
export const makeFolders = async (path: string): Promise<string[]> => {
  try {
    return await makeOne(path)
  } catch (error) {
    if (!isAbsent(error) || dirname(path) === path) throw error
    return [...(await makeFolders(dirname(path))), ...(await makeOne(path))]
  }
}

const syncPath = async (path: string): Promise<void> => {
  const fd = await sys.open(path, flags.O_RDONLY | flags.O_DIRECTORY)
  try {
    await sys.fsync(fd)
  } finally {
    await sys.close(fd)
  }
}

/** Resolves to its real path: the root may be a symlink, or lie behind one; nothing below it may. */
export const openRoot = async (root: string): Promise<string> => {
  const wanted = resolve(root)
  const made = await makeFolders(wanted).catch((error: unknown) => {
    if (!isAbsent(error)) throw storeErrorOf(error, root)
    throw new StoreError({ code: 'unavailable', message: `${root}: no folder can be made there.`, cause: error })
  })
  for (const folder of made) await syncPath(dirname(folder))
  return sys.realpath(wanted)
}
