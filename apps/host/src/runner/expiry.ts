import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@nexus/core'
import { errorCode } from './durable-file.ts'
import { listRuns } from './find-runs.ts'
import { type RunFolder, runFolder, runsFolder } from './run-folder.ts'

export interface RunExpiryOptions {
  readonly root: string
  readonly clock: Clock
  /** How long a run's folder is kept after its end. */
  readonly keepMs: number
  /** Whether somebody may still ask what became of this attempt: it must not look as if it had never been. */
  isNeeded(attempt: string): Promise<boolean>
}

export interface RunExpiry {
  /** Goes on looking where the last call stopped, for a bounded time. Resolves with the attempts that were removed. */
  step(): Promise<string[]>
}

/** In one call. A look costs a stat or two, a removal some ten calls. */
const most = { looks: 200, removals: 20 } as const

/** What was all looked at is looked at again after this. */
const restMs = 3_600_000

/** Removed in two moves, so that a crash in between leaves no half of a run; the rest goes at the next beginning. */
const gonePrefix = '.gone-'

const timeOf = async (path: string): Promise<number | null> => {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null
    throw error
  }
}

/** Since when nothing happens in this run, as far as its folder tells; null while it may be at work. */
const overSince = async (paths: RunFolder): Promise<number | null> => {
  const ended = await timeOf(paths.exit)
  if (ended !== null) return ended
  // Started without an end: at work, or lost and not settled yet.
  if ((await timeOf(paths.started)) !== null) return null
  return timeOf(paths.folder)
}

const removeGone = async (runs: string): Promise<void> => {
  const names = await readdir(runs).catch(() => [])
  for (const name of names)
    if (name.startsWith(gonePrefix)) await rm(join(runs, name), { recursive: true, force: true })
}

/** Removes the folders of runs that are long over, some at a time. */
export const createRunExpiry = ({ root, clock, keepMs, isNeeded }: RunExpiryOptions): RunExpiry => {
  const runs = runsFolder(root)
  let waiting: string[] = []
  let begunAt = Number.NEGATIVE_INFINITY

  const begin = async (): Promise<void> => {
    begunAt = clock.monotonic()
    await removeGone(runs)
    waiting = await listRuns(root)
  }

  /** False where another host of this root was first. */
  const remove = async (paths: RunFolder): Promise<boolean> => {
    const gone = join(runs, `${gonePrefix}${paths.attempt}`)
    try {
      await rename(paths.folder, gone)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false
      throw error
    }
    await rm(gone, { recursive: true, force: true })
    return true
  }

  return {
    async step() {
      if (waiting.length === 0 && clock.monotonic() - begunAt >= restMs) await begin()
      const removed: string[] = []
      for (const attempt of waiting.splice(0, most.looks)) {
        if (removed.length >= most.removals) {
          waiting.push(attempt)
          continue
        }
        const paths = runFolder(root, attempt)
        const since = await overSince(paths)
        if (since === null || clock.now() - since < keepMs || (await isNeeded(attempt))) continue
        if (await remove(paths)) removed.push(attempt)
      }
      return removed
    },
  }
}
