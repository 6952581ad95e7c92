import type { Clock } from '@nexus/core'

/** A clock that stands still until it is told otherwise. */
export interface FakeClock extends Clock {
  /** Milliseconds forward, for both wall and monotonic time. */
  advance(ms: number): void
  /** Moves the wall clock alone, as an operator or NTP does. */
  jump(ms: number): void
}

export const createFakeClock = (start: number = Date.now()): FakeClock => {
  let wall = start
  let monotonic = 0
  return {
    now: () => wall,
    monotonic: () => monotonic,
    advance(ms) {
      wall += ms
      monotonic += ms
    },
    jump(ms) {
      wall += ms
    },
  }
}
