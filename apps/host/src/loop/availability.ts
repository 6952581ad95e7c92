import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, isStoreError, type Logger, type StoreError } from '@nexus/core'

export interface AvailabilityOptions {
  logger: Logger
  clock: Pick<Clock, 'monotonic'>
  /** Between two tries. */
  retryMs: number
  /** Whether a backend is down, which the router tells of by itself. */
  inOutage(): Promise<boolean>
  /** Hears of every call that was refused because its store has moved: it will never answer here again. */
  onMoved(error: StoreError): void
}

/** Who tries until the signal aborts. */
interface Caller {
  readonly signal: AbortSignal
}

/**
 * Waits for stores that cannot be reached. Says once that one stays away, and once that nothing is missing any more,
 * unless the router says it already; what fails once and works the next time is not told of.
 */
export interface Availability {
  /** Tries until the stores answer, or the signal aborts. */
  insist<T>(call: () => Promise<T>, caller: Caller): Promise<T>
  /** One try, under a name for its kind; null while the stores cannot be reached. */
  attempt<T>(what: string, call: () => Promise<T>): Promise<T | null>
  /** Whether its last try failed, of a caller or of a kind. */
  isWaiting(caller: Caller | string): boolean
  /** For how long something has been missing, in milliseconds; null where nothing is. */
  missingMs(): number | null
}

/** A try that has gone on for so many pauses has reached its stores: it is at work. */
const settledPauses = 4

export const createAvailability = ({
  logger,
  clock,
  retryMs,
  inOutage,
  onMoved,
}: AvailabilityOptions): Availability => {
  /** How often each caller failed in a row outside of an outage. */
  const failures = new Map<unknown, number>()
  let since: number | null = null
  let isTold = false

  const failed = async (caller: unknown, reason: string): Promise<void> => {
    failures.set(caller, failures.get(caller) ?? 0)
    since ??= clock.monotonic()
    logger.debug('waiting for a store', { reason })
    // What failed in an outage may be asked about after its end: only what fails again then is news.
    const isKnown = await inOutage()
    if (!failures.has(caller)) return
    const times = isKnown ? 0 : (failures.get(caller) ?? 0) + 1
    failures.set(caller, times)
    if (isTold || times < 2) return
    isTold = true
    logger.warn('a store cannot be reached; agents go on, and so do we when it answers', { reason })
  }

  const forget = (caller: unknown): void => {
    failures.delete(caller)
    if (failures.size === 0) since = null
  }

  const answered = (caller: unknown): void => {
    forget(caller)
    if (failures.size > 0 || !isTold) return
    isTold = false
    logger.info('the stores answer again')
  }

  const attempt = async <T>(caller: unknown, call: () => Promise<T>): Promise<{ value: T } | null> => {
    try {
      const value = await call()
      answered(caller)
      return { value }
    } catch (error) {
      if (!isStoreError(error, 'unavailable')) throw error
      if (error.movedTo === undefined) await failed(caller, error.message)
      else onMoved(error)
      return null
    }
  }

  return {
    async insist(call, caller) {
      try {
        for (;;) {
          const settled = setTimeout(() => answered(caller), settledPauses * retryMs)
          const answer = await attempt(caller, call).finally(() => clearTimeout(settled))
          if (answer) return answer.value
          await delay(retryMs, undefined, { signal: caller.signal }).catch(() => caller.signal.throwIfAborted())
        }
      } finally {
        forget(caller)
      }
    },
    async attempt(what, call) {
      return (await attempt(what, call))?.value ?? null
    },
    isWaiting: (caller) => failures.has(caller),
    missingMs: () => (since === null ? null : clock.monotonic() - since),
  }
}
