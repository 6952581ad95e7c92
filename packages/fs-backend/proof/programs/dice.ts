/** Numbers in [0, 1) that a seed repeats. */
export const createDice = (seed: number) => {
  let state = seed >>> 0
  const roll = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number): number => Math.floor(roll() * count)
  return { roll, below, pick: <T>(all: readonly T[]): T => all[below(all.length)] as T }
}

export type Dice = ReturnType<typeof createDice>
