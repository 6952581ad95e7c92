import { mkdir } from 'node:fs/promises'
import { openFolderWatch } from './folder-watch.ts'

/** How deep the folders of documented files lie below the one that is watched: `{project}/completions`. */
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
  const watched = openFolderWatch({
    folder,
    depth,
    isWatched: (name) => !name.startsWith('.') && isWatched(name),
    changed: hint,
    failed: hint,
  })
  watched.ready.then(hint, hint)
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
    watched.close()
  }
}
