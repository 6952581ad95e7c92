import { median, quantile } from './figures.ts'

/** One round of one contender: what it measured, a rate or a time. */
export type Round = () => Promise<number>

/** By contender, one figure for each round. */
export type Rounds<Name extends string> = Readonly<Record<Name, readonly number[]>>

/**
 * Lets the contenders run in turns, so that whatever else the machine does meets all of them. The first round of each
 * warms up and does not count. Each begins as often as any other.
 */
export const interleave = async <Name extends string>(
  contenders: Record<Name, Round>,
  rounds = 7,
): Promise<Rounds<Name>> => {
  const names = Object.keys(contenders) as Name[]
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let round = 0; round <= rounds; round += 1)
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length]
      if (name === undefined) continue
      const figure = await contenders[name]()
      if (round > 0) figures[name].push(figure)
    }
  return figures
}

/** What the rounds say of one contender beside another: the median of the rounds' ratios, and the quarters around it. */
export const ratioOf = (ours: readonly number[], theirs: readonly number[]) => {
  const ratios = ours.map((figure, round) => figure / (theirs[round] ?? Number.NaN))
  return { ratio: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) }
}

/** Runs so many jobs, as many at a time as there are callers; gives jobs per second. */
export const rateOf = async (jobs: number, callers: number, job: (n: number) => Promise<unknown>): Promise<number> => {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < jobs) {
      const n = next
      next += 1
      await job(n)
    }
  }
  const begun = performance.now()
  await Promise.all(Array.from({ length: callers }, caller))
  return (jobs * 1000) / (performance.now() - begun)
}
