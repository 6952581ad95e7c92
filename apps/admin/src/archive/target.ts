import { once } from 'node:events'
import { constants, createWriteStream } from 'node:fs'
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { errorCode, syncFolder } from '@nexus/host/moving'
import { CommandError } from '../cli/exit.ts'

/** A file in the making. */
export interface Target {
  stream: Writable
  /** Gives it its name, on the disk when resolved. The stream has ended before, and put all of it on the disk. */
  finish(): Promise<void>
  /** Leaves nothing of it behind. */
  discard(): Promise<void>
}

const full: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG']

const cannot = (path: string, error: unknown): CommandError => {
  const code = errorCode(error) ?? ''
  if (code === 'EEXIST')
    return new CommandError('failed', `${path} is there already. Name another file, or replace it with --force.`)
  const advice = full.includes(code)
    ? 'Make room, or name a file elsewhere.'
    : 'Name a folder that is there and writable.'
  return new CommandError('failed', `${path} cannot be written (${code}). ${advice}`)
}

/** The same of what ended the writing, where that was the file. */
export const unwritten = (path: string, error: unknown): unknown =>
  full.includes(errorCode(error) ?? '') ? cannot(path, error) : error

/** Throws where something is there that may not be replaced; a link is never followed. */
const checkFree = async (path: string, force: boolean): Promise<void> => {
  let file: FileHandle
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    if (errorCode(error) === 'ELOOP')
      throw new CommandError('failed', `${path} is a symbolic link, which is not followed. Name the file itself.`)
    throw cannot(path, error)
  }
  try {
    if (!(await file.stat()).isFile()) throw new CommandError('failed', `${path} is no file. Name another place.`)
    if (!force) throw cannot(path, Object.assign(new Error('present'), { code: 'EEXIST' }))
  } finally {
    await file.close()
  }
}

/**
 * A new file for this user alone, written beside its place: it has its name only when it is whole. Killed, it leaves the
 * part behind, under a name that begins with a dot and ends in `.partial`.
 */
export const openTarget = async (path: string, { force }: { force: boolean }): Promise<Target> => {
  await checkFree(path, force)
  const part = join(dirname(path), `.${basename(path)}.${process.pid}.partial`)
  const stream = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true })
  try {
    await once(stream, 'open')
  } catch (error) {
    throw cannot(path, error)
  }
  const discard = async (): Promise<void> => {
    stream.destroy()
    await rm(part, { force: true })
  }
  return {
    stream,
    discard,
    async finish() {
      try {
        // Made by somebody meanwhile, it is not replaced unasked.
        if (force) await rename(part, path)
        else await link(part, path)
        await discard()
        await syncFolder(dirname(path))
      } catch (error) {
        await discard()
        throw cannot(path, error)
      }
    },
  }
}
