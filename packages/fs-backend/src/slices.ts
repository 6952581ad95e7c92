import { setImmediate } from 'node:timers/promises'

/** Long work on the main thread in short slices: between two of them everybody else has a turn. */
export interface Slices {
  /** Counts one step; true where it is time for `next`. */
  isOver(): boolean
  next(): Promise<void>
}

export const mostSteps = 256
const mostMs = 5

export const createSlices = (signal?: AbortSignal): Slices => {
  let steps = 0
  let until = performance.now() + mostMs
  return {
    isOver: () => ++steps > mostSteps || performance.now() > until,
    async next() {
      await setImmediate()
      signal?.throwIfAborted()
      steps = 1
      until = performance.now() + mostMs
    },
  }
}
