import { mkdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { watch } from 'chokidar'

/** How deep documented files lie below the folder that is watched: `{project}/completions/{file}`. */
const depth = 2

/** Hints that something below the folder changed; many changes may be one hint. Ends when the signal aborts. */
export async function* watchFolder(
  folder: string,
  signal: AbortSignal,
  isWatched: (name: string) => boolean,
): AsyncGenerator<void> {
  if (signal.aborted) return
  await mkdir(folder, { recursive: true })
  let isDue = false
  let wake = (): void => undefined
  const hint = (): void => {
    isDue = true
    wake()
  }
  const ignored = (path: string): boolean => {
    const name = basename(path)
    return path !== folder && (name.startsWith('.') || !isWatched(name))
  }
  const watcher = watch(folder, { ignored, depth, ignoreInitial: true, followSymlinks: false })
  watcher.on('all', hint).on('error', hint).on('ready', hint)
  signal.addEventListener('abort', hint, { once: true })
  try {
    while (!signal.aborted) {
      if (isDue) {
        isDue = false
        yield
      } else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  } finally {
    signal.removeEventListener('abort', hint)
    await watcher.close()
  }
}
