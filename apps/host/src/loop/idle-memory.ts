import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Logger } from '@nexus/core'
import { every } from './every.ts'
import type { Holds } from './hold.ts'

const everyMs = 5 * 60_000

/** Gives back what nobody uses any more, at once: some 30 ms for a host's heap. */
export const createCollectGarbage = (): (() => void) => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  return () => {
    if (typeof collect === 'function') collect()
  }
}

/**
 * An idle host makes so little garbage that V8 lets it lie for hours: some 10 MB an hour. Collected while nothing is held,
 * where nobody waits for it. Returns the end of it.
 */
export const keepIdleMemory = (holds: Holds, logger: Pick<Logger, 'warn'>): (() => void) => {
  const collect = createCollectGarbage()
  const collectIdle = async (): Promise<void> => {
    if (holds.size === 0) collect()
  }
  return every(everyMs, collectIdle, (error) => logger.warn('memory cannot be given back', { error: String(error) }))
}
