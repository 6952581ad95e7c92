import type { Stats } from 'node:fs'
import type { Folder } from './folder.ts'
import { errnoOf, isAbsent, storeErrorOf } from './fs-errors.ts'
import { flags, sys } from './syscalls.ts'

export type Bytes = Uint8Array | string

const writeAll = async (fd: number, bytes: Uint8Array): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await sys.write(fd, bytes, done, bytes.length - done, done)
    done += bytesWritten
  }
}

export const quietly = async (work: Promise<unknown>): Promise<void> => {
  await work.catch(() => undefined)
}

export interface WriteTemp {
  /** Leaves the bytes to the system: what reads them lives no longer than this boot. */
  isLoose?: boolean
  modified?: Date
}

/** A failed fsync leaves nothing to trust: the temp file goes, the error stays, and the next call writes a new one. */
export const writeTemp = async (path: string, content: Bytes, how: WriteTemp = {}): Promise<Stats> => {
  const fd = await sys.open(path, flags.O_WRONLY | flags.O_CREAT | flags.O_EXCL | flags.O_NOFOLLOW, 0o600)
  try {
    try {
      await writeAll(fd, typeof content === 'string' ? Buffer.from(content) : content)
      if (how.modified) await sys.futimes(fd, how.modified, how.modified)
      if (!how.isLoose) await sys.fsync(fd)
      return await sys.fstat(fd)
    } finally {
      await sys.close(fd)
    }
  } catch (error) {
    await quietly(sys.unlink(path))
    throw error
  }
}

/** What fails after the name is in its place may or may not survive. */
export const settle = async (path: string, folders: readonly Folder[]): Promise<void> => {
  for (const folder of folders) {
    try {
      await folder.sync()
    } catch (error) {
      throw storeErrorOf(error, path, 'unknown')
    }
  }
}

export const link = async (from: string, to: string): Promise<'created' | 'exists' | 'absent'> => {
  try {
    await sys.link(from, to)
    return 'created'
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return 'exists'
    if (isAbsent(error)) return 'absent'
    throw error
  }
}

export const rename = async (from: string, to: string): Promise<'moved' | 'absent'> => {
  try {
    await sys.rename(from, to)
    return 'moved'
  } catch (error) {
    if (isAbsent(error)) return 'absent'
    throw error
  }
}

/** In one write, so that of several processes that append none cuts into the words of another. */
export const append = async (path: string, text: string): Promise<Stats> => {
  const how = flags.O_WRONLY | flags.O_APPEND | flags.O_CREAT | flags.O_NOFOLLOW | flags.O_NONBLOCK
  const fd = await sys.open(path, how, 0o600)
  try {
    const bytes = Buffer.from(text)
    await sys.write(fd, bytes, 0, bytes.length, null)
    return await sys.fstat(fd)
  } finally {
    await sys.close(fd)
  }
}
