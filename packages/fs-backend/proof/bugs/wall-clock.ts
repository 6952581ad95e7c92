import type { Clock } from '@nexus/core'

export * from '../../../core/src/context.ts'

/** Measures leases with the clock that people set. */
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => Date.now() }
