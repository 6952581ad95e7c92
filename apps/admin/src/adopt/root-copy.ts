import { constants } from 'node:fs'
import { cp, lstat, mkdtemp, realpath, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { errorCode } from '@nexus/host/moving'
import { CommandError, usageError } from '../cli/exit.ts'

/** A root as it was, which may be opened: that takes in reports and sweeps, and the root itself stays as it is. */
export interface RootCopy extends AsyncDisposable {
  /** Where it lies, for this user alone. */
  dir: string
}

/** The root that a person means: a folder, or the `.nexus` in it. */
export const rootAt = async (path: string): Promise<string> => {
  try {
    const inside = await stat(join(path, '.nexus')).catch(() => null)
    const root = await realpath(inside?.isDirectory() ? join(path, '.nexus') : path)
    if ((await stat(root)).isDirectory()) return root
  } catch (error) {
    throw usageError(`${path} cannot be read (${errorCode(error) ?? 'unknown'}). Name a .nexus folder.`)
  }
  throw usageError(`${path} is no folder. Name a .nexus folder.`)
}

/** Logs of agents: no records, and they may be as long as the disk. */
const left = 'runs'

/**
 * A summary file is known by its time of change in microseconds, and a copy has it in milliseconds: without this our own
 * mirror of a report would be taken for a new one. The fraction keeps the number whole when it passes through a double.
 */
const restoreTime = (path: string, mtimeMs: number): Promise<void> => {
  const seconds = (Math.round(mtimeMs * 1000) + 0.2) / 1e6
  return utimes(path, seconds, seconds)
}

const copyInto = async (root: string, dir: string): Promise<void> => {
  const summaries: { path: string; mtimeMs: number }[] = []
  await cp(root, dir, {
    recursive: true,
    preserveTimestamps: true,
    mode: constants.COPYFILE_FICLONE,
    async filter(path) {
      const found = await lstat(path)
      const inside = relative(root, path)
      if (inside === left) return false
      if (found.isFile() && basename(path).startsWith('completion_summary_'))
        summaries.push({ path: join(dir, inside), mtimeMs: found.mtimeMs })
      return found.isDirectory() || found.isFile()
    },
  })
  for (const { path, mtimeMs } of summaries) await restoreTime(path, mtimeMs)
}

/** Files and folders alone: a link is no record. Killed, it leaves the copy in the folder of temp files. */
export const copyRoot = async (root: string): Promise<RootCopy> => {
  const dir = await mkdtemp(join(tmpdir(), 'nexus-adopt-'))
  const discard = (): Promise<void> => rm(dir, { recursive: true, force: true })
  try {
    await copyInto(root, dir)
  } catch (error) {
    await discard()
    throw new CommandError(
      'failed',
      `${root} cannot be copied to ${tmpdir()} to be read (${errorCode(error) ?? String(error)}). Stop what works there, make room or set TMPDIR, and repeat the command.`,
    )
  }
  return { dir, [Symbol.asyncDispose]: discard }
}
