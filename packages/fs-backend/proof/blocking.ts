import { closeSync, openSync, readSync } from 'node:fs'

/** Milliseconds that nothing may hold the event loop up: 20 are the aim, a busy machine and the engine's own work come on top. */
export const longestBlock = 75

/** How long the event loop was held up at most, over all that was done in it. */
export interface Blocking {
  during<T>(work: () => Promise<T>): Promise<T>
  longestMs(): number
}

/** A timer is due each millisecond. */
const everyMs = 1

/**
 * Of the main thread, in its own processor time from one look of the timer to the next: others at work on the machine make
 * it no more, other than a clock. An idle thread has about one millisecond, and some on a busy machine.
 */
export const createBlocking = (): Blocking => {
  const buffer = Buffer.alloc(64)
  let longest = 0
  return {
    async during(work) {
      const stat = openSync('/proc/thread-self/schedstat', 'r')
      const ranMs = (): number =>
        Number.parseInt(buffer.toString('latin1', 0, readSync(stat, buffer, 0, buffer.length, 0)), 10) / 1e6
      let before = ranMs()
      const look = (): void => {
        const now = ranMs()
        longest = Math.max(longest, now - before)
        before = now
      }
      const timer = setInterval(look, everyMs)
      try {
        return await work()
      } finally {
        look()
        clearInterval(timer)
        closeSync(stat)
      }
    },
    longestMs: () => longest,
  }
}
