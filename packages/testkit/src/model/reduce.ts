import type { Difference } from './lockstep.ts'
import type { Operation } from './operation.ts'

const mostTries = 250

interface Reduced {
  sequence: readonly Operation[]
  difference: Difference
}

/** Leaves out what the difference does not need: runs of steps first, then single ones. Null where it does not come again. */
export const reduceSequence = async (
  failing: readonly Operation[],
  trial: (sequence: readonly Operation[]) => Promise<Difference | null>,
): Promise<Reduced | null> => {
  let tries = 0
  const attempt = async (sequence: readonly Operation[]): Promise<Reduced | null> => {
    tries += 1
    const difference = await trial(sequence)
    return difference && { sequence: sequence.slice(0, difference.step + 1), difference }
  }
  let best = await attempt(failing)
  if (!best) return null
  for (let size = Math.ceil(best.sequence.length / 2); size >= 1; size = Math.floor(size / 2))
    for (let from = failing.length; from > -size && tries < mostTries; from -= size) {
      const { sequence }: Reduced = best
      if (from >= sequence.length - 1) continue
      const start = Math.max(0, from)
      best = (await attempt([...sequence.slice(0, start), ...sequence.slice(from + size)])) ?? best
    }
  return best
}
