import type { Difference } from './lockstep.ts'
import type { Operation } from './operation.ts'

const mostTries = 150

interface Reduced {
  sequence: readonly Operation[]
  difference: Difference
}

const storeOf = (verb: string): string => verb.split(/[ .]/)[0] ?? verb

/** Happens to every store. */
const isOfAll = (verb: string): boolean => !/[ .]/.test(verb)

/**
 * Leaves out what the difference does not need: the other stores first, then runs of steps, then single ones. Null where
 * it does not come again.
 */
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
  const whole = await attempt(failing)
  if (!whole) return null
  const store = storeOf(whole.difference.verb)
  const sameStore = whole.sequence.filter(({ verb }) => storeOf(verb) === store || isOfAll(verb))
  let best = (await attempt(sameStore)) ?? whole
  for (let size = Math.ceil(best.sequence.length / 2); size >= 1; size = Math.floor(size / 2))
    for (let from = best.sequence.length; from > -size && tries < mostTries; from -= size) {
      const { sequence }: Reduced = best
      if (from >= sequence.length - 1) continue
      const start = Math.max(0, from)
      best = (await attempt([...sequence.slice(0, start), ...sequence.slice(from + size)])) ?? best
    }
  return best
}
