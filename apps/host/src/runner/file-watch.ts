import { type FSWatcher, statSync, utimesSync, watch } from 'node:fs'

export interface FileWatch {
  /** A file or a folder; it may appear later. */
  readonly path: string
  readonly pollMs: number
  /** The name that changed, or null: look at everything. */
  onChange(name: string | null): void
}

/** Calls back on changes at once where the system tells of them, and every pollMs anyway. Returns the end of it. */
export function watchPath({ path, pollMs, onChange }: FileWatch): () => void {
  let watcher: FSWatcher | null = null
  // No watcher (not there yet, inotify limits, remote folders): the poll remains, and tries for one.
  const open = () => {
    try {
      watcher ??= watch(path, (_, name) => onChange(name)).on('error', close)
    } catch {}
  }
  const close = () => {
    watcher?.close()
    watcher = null
  }
  const timer = setInterval(() => {
    open()
    onChange(null)
  }, pollMs)
  open()
  return () => {
    clearInterval(timer)
    close()
  }
}

/** Changes whenever the file is touched, written or replaced; null when it cannot be seen. No clock is compared. */
export function signatureOf(path: string): string | null {
  try {
    const stat = statSync(path, { bigint: true })
    return `${stat.ino}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.size}`
  } catch {
    return null
  }
}

/** A sign for whoever watches the path; losing one costs a poll, so failure is no error. */
export function touch(path: string): void {
  try {
    const now = Date.now() / 1000
    utimesSync(path, now, now)
  } catch {}
}
