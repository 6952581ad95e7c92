import { constants } from 'node:fs'
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, makeFolder, syncFolder } from '@nexus/host/moving'
import { CommandError } from '../cli/exit.ts'

/** The lines of the audit trail of a root: one file for each month, which any number of commands write at once. */
export interface Trail {
  /** On the disk when it resolves, and never in the middle of another line. */
  append(at: Date, line: string): Promise<void>
  /** Latest month first, its last line first. */
  lines(): AsyncGenerator<string>
  readonly place: string
}

const fileName = /^\d{4}-\d{2}\.jsonl$/
const newLine = Buffer.from('\n')

/** A power cut may have left a part of a line: what comes next must not become a part of it too. */
const isTorn = async (file: FileHandle): Promise<boolean> => {
  const { size } = await file.stat()
  if (size === 0) return false
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return !buffer.equals(newLine)
}

const appendDurably = async (folder: string, path: string, line: string): Promise<void> => {
  const file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600)
  try {
    const bytes = Buffer.from(`${(await isTorn(file)) ? '\n' : ''}${line}\n`)
    // In one write, or lines of two commands could mix.
    const { bytesWritten } = await file.write(bytes)
    if (bytesWritten < bytes.length) throw Object.assign(new Error('a part was written'), { code: 'ENOSPC' })
    await file.sync()
  } finally {
    await file.close()
  }
  await syncFolder(folder)
}

const monthsIn = async (folder: string): Promise<string[]> => {
  try {
    const names = await readdir(folder)
    return names
      .filter((name) => fileName.test(name))
      .sort()
      .reverse()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

export const openTrail = (root: string): Trail => {
  const folder = join(root, '.audit')
  return {
    place: folder,
    async append(at, line) {
      const path = join(folder, `${at.toISOString().slice(0, 7)}.jsonl`)
      try {
        await makeFolder(folder, 0o700)
        await appendDurably(folder, path, line)
      } catch (error) {
        const advice = 'Make it writable, or name another root with NEXUS_DIR.'
        throw new CommandError(
          'failed',
          `The audit trail ${path} cannot be written (${errorCode(error) ?? error}). ${advice}`,
        )
      }
    },
    async *lines() {
      for (const month of await monthsIn(folder)) {
        const text = await readFile(join(folder, month), 'utf8')
        yield* text
          .split('\n')
          .filter((line) => line !== '')
          .reverse()
      }
    },
  }
}
