import { setTimeout as delay } from 'node:timers/promises'
import { isStoreError, type Logger } from '@nexus/core'

/** Says once that stores cannot be reached, and once that they can again. */
export interface Availability {
  /** Tries until the stores answer, or the signal aborts. */
  insist<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T>
  /** One try; null while the stores cannot be reached. */
  attempt<T>(call: () => Promise<T>): Promise<T | null>
}

export const createAvailability = (logger: Logger, retryMs: number): Availability => {
  let down = false
  const attempt = async <T>(call: () => Promise<T>): Promise<{ value: T } | null> => {
    try {
      const value = await call()
      if (down) logger.info('the stores answer again')
      down = false
      return { value }
    } catch (error) {
      if (!isStoreError(error, 'unavailable')) throw error
      if (!down)
        logger.warn('a store cannot be reached; agents go on, and so do we when it answers', { reason: error.message })
      down = true
      return null
    }
  }
  return {
    async insist(call, signal) {
      for (;;) {
        const answer = await attempt(call)
        if (answer) return answer.value
        await delay(retryMs, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    },
    async attempt(call) {
      return (await attempt(call))?.value ?? null
    },
  }
}
