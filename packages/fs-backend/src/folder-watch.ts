import { type FSWatcher, watch } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isNoRecord } from './reading.ts'

export interface FolderWatch {
  /** Resolves when all folders are watched that were there: what comes from then on is told. */
  ready: Promise<void>
  close(): void
}

export interface Watched {
  folder: string
  /** How many levels of folders below it are watched as well. */
  depth: number
  /** Of a name at any level; what is below a folder that is not watched is not either. */
  isWatched(name: string): boolean
  /** A file that came or changed, or a folder whose files may have. A hint: one may be missing, and one too many. */
  changed(path: string): void
  failed(error: unknown): void
}

/** Of what vanishes while it is looked at there is nothing to be told. */
const unlessGone = async <T>(work: Promise<T>, gone: T): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (isNoRecord(error)) return gone
    throw error
  }
}

/**
 * One watch for each folder and none for a file, so that it costs what the folders are and not what lies in them. Follows
 * no symlink.
 */
export const openFolderWatch = ({ folder, depth, isWatched, changed, failed }: Watched): FolderWatch => {
  const watchers = new Map<string, FSWatcher>()
  let isClosed = false

  const leave = (path: string): void => {
    for (const [at, watcher] of watchers)
      if (at === path || at.startsWith(path + sep)) {
        watcher.close()
        watchers.delete(at)
      }
  }

  /** Another folder may have taken the name of the one that was watched. */
  const enter = async (path: string, level: number): Promise<void> => {
    leave(path)
    if (isClosed) return
    const watcher = watch(path, (event, name) => void receive(path, level, event, name).catch(failed))
    watchers.set(path, watcher.on('error', failed))
    if (level === depth) return
    for (const entry of await unlessGone(readdir(path, { withFileTypes: true }), []))
      if (entry.isDirectory() && isWatched(entry.name)) await enterIfThere(join(path, entry.name), level + 1)
  }

  const enterIfThere = (path: string, level: number): Promise<void> => unlessGone(enter(path, level), undefined)

  const receive = async (path: string, level: number, event: string, name: string | null): Promise<void> => {
    if (name === null) return changed(path)
    if (!isWatched(name)) return
    const at = join(path, name)
    const stat = await unlessGone(lstat(at), null)
    if (stat === null) return leave(at)
    // What was put into a new folder before it was watched is told with the folder.
    if (stat.isDirectory() && level < depth && (event === 'rename' || !watchers.has(at)))
      await enterIfThere(at, level + 1)
    if (!isClosed) changed(at)
  }

  return {
    ready: enter(folder, 0),
    close() {
      isClosed = true
      leave(folder)
    },
  }
}
