import { setTimeout as delay } from 'node:timers/promises'

/** Waits, or until the signal aborts; true where the whole time passed. */
export const pause = (ms: number, signal: AbortSignal): Promise<boolean> =>
  delay(ms, true, { signal }).catch(() => false)
