import { relative, sep } from 'node:path'
import type { InboxHint } from '@nexus/core'
import { openFolderWatch } from '../folder-watch.ts'
import type { InboxTools } from './inbox-tools.ts'

/** How often a look finds what the watch missed, in milliseconds. */
const lookAgainMs = 5000

/** Hints that nobody has taken yet, each project once. */
const createHints = (signal: AbortSignal) => {
  const waiting: InboxHint[] = []
  let wake = (): void => {}
  signal.addEventListener('abort', () => wake(), { once: true })
  return {
    add(project: string | null): void {
      if (!waiting.some((hint) => hint.project === project)) waiting.push({ project })
      wake()
    },
    async *taken(): AsyncGenerator<InboxHint> {
      while (!signal.aborted) {
        const hint = waiting.shift()
        if (hint) yield hint
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    },
  }
}

/** Looks for pending files that no look before has seen. */
const createLook = ({ places, queue, clock }: InboxTools, found: (project: string | null) => void) => {
  const seen = new Map<string, number>()
  return async (): Promise<void> => {
    for (const project of await places.projects()) {
      const index = queue.pending(project)
      await index.refresh()
      if (index.found() > (seen.get(project) ?? 0)) found(project)
      seen.set(project, index.found())
    }
    await queue.delayed.refresh()
    for (const { due } of queue.delayed.entries()) if (due <= clock.now()) return found(null)
  }
}

/**
 * Watches the documented folders only. Events are hints: they get lost on overflow and never come from another host, so
 * a look every few seconds stands behind them. All ends with the signal, or with the backend.
 */
export const watchInbox = (tools: InboxTools, signal: AbortSignal): AsyncIterable<InboxHint> => {
  const { inbox, atomic, logger, marks, isClosed } = tools
  const ended = new AbortController()
  const hints = createHints(ended.signal)
  const look = createLook(tools, hints.add)
  const warn = (error: unknown): void => logger.warn('Watching the inbox failed', { reason: String(error) })

  const lookAgain = async (): Promise<void> => {
    if (isClosed() || marks.isMoved('inbox')) ended.abort()
    else await look()
  }
  const timer = setInterval(() => void lookAgain().catch(warn), lookAgainMs)
  ended.signal.addEventListener('abort', () => clearInterval(timer), { once: true })

  const start = async (): Promise<void> => {
    await atomic.makeFolder(inbox.inbox)
    if (ended.signal.aborted) return
    const watched = openFolderWatch({
      folder: inbox.inbox,
      depth: 1,
      isWatched: (name) => !name.startsWith('.'),
      changed(path) {
        const [project, file] = relative(inbox.inbox, path).split(sep)
        if (!project) hints.add(null)
        else if (file === undefined || file.endsWith('.md')) hints.add(project)
      },
      failed: warn,
    })
    ended.signal.addEventListener('abort', () => watched.close(), { once: true })
    await watched.ready
    // What was put there while the watch was being set up makes no event.
    hints.add(null)
  }
  signal.addEventListener('abort', () => ended.abort(), { once: true })
  if (signal.aborted) ended.abort()
  else start().catch(warn)
  return hints.taken()
}
