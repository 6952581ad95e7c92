/** Wakes one waiter. A ring while nobody waits is kept, so that none is lost between a look and the wait after it. */
export interface Bell {
  ring(): void
  /** Resolves on a ring, after that time, or when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

export const createBell = (): Bell => {
  let rung = false
  let wake: (() => void) | null = null
  return {
    ring() {
      rung = true
      wake?.()
    },
    wait(ms, signal) {
      return new Promise((resolve) => {
        const finish = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', finish)
          wake = null
          rung = false
          resolve()
        }
        const timer = setTimeout(finish, ms)
        signal?.addEventListener('abort', finish, { once: true })
        wake = finish
        if (rung || signal?.aborted) finish()
      })
    },
  }
}
