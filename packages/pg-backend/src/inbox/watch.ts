import type { InboxHint } from '@nexus/core'
import type { PgTools } from '../tools.ts'
import { listenOnce, serves } from './listen.ts'
import { pause } from './pause.ts'

/** How often to look where nothing is heard. */
const pollMs = 5000
/** A connection that was good is opened again at once. */
const reopenMs = 200
/** Polls between two tries to listen where a pooler stands between: doubled up to this. */
const mostPolls = 12

/** Listens, and where that is not possible polls and tries again, until the signal aborts. */
const keepHinting = async (tools: PgTools, signal: AbortSignal, hint: (project: string | null) => void) => {
  let [deafness, refusals] = [0, 0]
  let isWarned = false
  const warn = (reason: string): void => {
    if (!isWarned) tools.logger.warn('New tasks are not announced by the database: polling instead', { reason, pollMs })
    isWarned = true
  }
  while (!signal.aborted) {
    const result = await listenOnce(tools, { signal, hint }).catch((error: Error) => error)
    if (signal.aborted) return
    deafness = result === 'deaf' ? deafness + 1 : 0
    if (result === 'lost') {
      isWarned = false
      refusals = 0
      await pause(reopenMs, signal)
      continue
    }
    if (result === 'deaf') warn('nothing arrives: a pooler may stand between')
    else {
      // While the database itself is away, or was a moment ago, nothing could be announced: whoever needs it says so.
      refusals = (await serves(tools)) ? refusals + 1 : 0
      if (refusals > 1) warn(result.message)
    }
    const polls = Math.min(2 ** Math.max(0, deafness - 1), mostPolls)
    for (let n = 0; n < polls && (await pause(pollMs, signal)); n += 1) hint(null)
  }
}

/** Hints that nobody took yet, one per project. */
const createHints = (signal: AbortSignal) => {
  const waiting: InboxHint[] = []
  const sleepers = new Set<() => void>()
  const wakeAll = (): void => {
    for (const wake of sleepers) wake()
    sleepers.clear()
  }
  signal.addEventListener('abort', wakeAll, { once: true })
  return {
    hint(project: string | null): void {
      if (!waiting.some((known) => known.project === project)) waiting.push({ project })
      wakeAll()
    },
    async next(): Promise<IteratorResult<InboxHint>> {
      while (!signal.aborted) {
        const value = waiting.shift()
        if (value) return { done: false, value }
        await new Promise<void>((resolve) => sleepers.add(resolve))
      }
      return { done: true, value: undefined }
    },
  }
}

/** The watches of one opening: each has a connection of its own, from the call until its signal aborts. [C-INBOX-19] */
export const createWatches = (tools: PgTools) => {
  const closing = new AbortController()
  const running = new Set<Promise<void>>()

  return {
    watch(given: AbortSignal): AsyncIterable<InboxHint> {
      const stopped = new AbortController()
      const signal = AbortSignal.any([given, closing.signal, stopped.signal])
      const { hint, next } = createHints(signal)
      const kept = keepHinting(tools, signal, hint).finally(() => running.delete(kept))
      running.add(kept)
      const iterator: AsyncIterator<InboxHint> = {
        next,
        async return() {
          stopped.abort()
          return { done: true, value: undefined }
        },
      }
      return { [Symbol.asyncIterator]: () => iterator }
    },

    /** When the last connection is closed. */
    async end(): Promise<void> {
      closing.abort()
      await Promise.all(running)
    },
  }
}
