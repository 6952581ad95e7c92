import type { InboxHint } from '@nexus/core'
import type { MemoryInboxData } from './inbox-data.ts'

/** Hints from the moment of the call on; those that nobody has taken yet wait. */
export const watchInbox = (data: MemoryInboxData, signal: AbortSignal): AsyncIterable<InboxHint> => {
  const waiting: InboxHint[] = []
  let wake = (): void => {}
  const stop = (): void => {
    data.watchers.delete(receive)
    wake()
  }
  const receive = (hint: InboxHint): void => {
    if (!waiting.some(({ project }) => project === hint.project)) waiting.push(hint)
    wake()
  }
  if (!signal.aborted) {
    data.watchers.add(receive)
    signal.addEventListener('abort', stop, { once: true })
  }

  async function* hints(): AsyncGenerator<InboxHint> {
    try {
      while (!signal.aborted) {
        const next = waiting.shift()
        if (next) yield next
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      signal.removeEventListener('abort', stop)
      stop()
    }
  }
  return hints()
}
