import { basename, dirname } from 'node:path'
import { isAbsent, storeErrorOf } from '../fs-errors.ts'
import { flags, sys } from '../syscalls.ts'
import type { FsTools } from '../tools.ts'

/**
 * Renews a hold: its file gets a modification time that it never had, whatever the clock does. Not synced, because after
 * a power cut the holder is gone as well. False where the file is not there any more.
 */
export const beat = async ({ withFolder, clock }: FsTools, path: string): Promise<boolean> => {
  try {
    return await withFolder(dirname(path), async (folder) => {
      const fd = await sys.open(folder.at(basename(path)), flags.O_RDONLY | flags.O_NOFOLLOW | flags.O_NONBLOCK)
      try {
        const before = Math.floor((await sys.fstat(fd)).mtimeMs)
        const next = Math.max(clock.now(), before + 1) / 1000
        await sys.futimes(fd, next, next)
      } finally {
        await sys.close(fd)
      }
      // The descriptor follows the file wherever it is renamed to: only one that still lies here was renewed in time.
      await sys.lstat(folder.at(basename(path)))
      return true
    })
  } catch (error) {
    if (isAbsent(error)) return false
    throw storeErrorOf(error, path)
  }
}
