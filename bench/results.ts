import { basename } from 'node:path'
import { expect, TestRunner } from 'vitest'
import { median, quantile } from './figures.ts'
import { type Rounds, ratioOf } from './rounds.ts'

/** The middle of several figures, and the quarters around it. */
export interface Spread {
  median: number
  low: number
  high: number
}

/** How far a row should come: its ratio, or its figure where it is held against nobody. */
export type Mark = { readonly atLeast: number } | { readonly atMost: number }

/** One row of the table of speeds. */
export interface Row {
  /** The name after `pnpm bench` that measures it again. */
  bench: string
  row: string
  /** Of the figures: `/s`, `ms`, `MB`. */
  unit: string
  /** By contender, `ours` first. */
  figures: Record<string, Spread>
  /** The contender that `ratio` is about, or nobody. */
  against: string | null
  ratio: Spread | null
  mark: Mark | null
}

/** What a thing costs as its work grows. */
export interface Curve {
  bench: string
  curve: string
  unit: string
  points: { records: number; value: number }[]
}

declare module 'vitest' {
  interface TaskMeta {
    rows?: Row[]
    curves?: Curve[]
  }
}

const spreadOf = (figures: readonly number[]): Spread => ({
  median: median(figures),
  low: quantile(figures, 0.25),
  high: quantile(figures, 0.75),
})

const benchName = (): string => basename(expect.getState().testPath ?? '', '.bench.ts')

const meta = () => {
  const test = TestRunner.getCurrentTest()
  if (!test) throw new Error('Results are published by a test while it runs.')
  return test.meta
}

interface Measured<Name extends string> {
  row: string
  unit: string
  /** By contender, a figure for each round. */
  rounds: Rounds<Name | 'ours'>
  /** Whom the mark is held against; without it, the mark is one of our figures. */
  against?: Name
  mark?: Mark
}

/** Gives a row to the table of this run. */
export const publish = <Name extends string>({ row, unit, rounds, against, mark }: Measured<Name>): void => {
  const all: Record<string, readonly number[]> = rounds
  const { ours = [], ...others } = all
  const theirs = against === undefined ? undefined : others[against]
  const into = meta()
  into.rows = [
    ...(into.rows ?? []),
    {
      bench: benchName(),
      row,
      unit,
      figures: Object.fromEntries(Object.entries({ ours, ...others }).map(([name, some]) => [name, spreadOf(some)])),
      against: against ?? null,
      ratio: theirs ? spreadOfRatio(ours, theirs) : null,
      mark: mark ?? null,
    },
  ]
}

const spreadOfRatio = (ours: readonly number[], theirs: readonly number[]): Spread => {
  const { ratio, low, high } = ratioOf(ours, theirs)
  return { median: ratio, low, high }
}

/** Gives a curve to the plot of this run. */
export const publishCurve = (curve: Omit<Curve, 'bench'>): void => {
  const into = meta()
  into.curves = [...(into.curves ?? []), { bench: benchName(), ...curve }]
}

/** A cost may be nothing, or less: so much better than its mark is as good as a plot can show. */
const muchBetter = 10

/** How often the mark is reached: 1 just so, 2 twice as good; null without a mark. */
export const reachOf = ({ figures, ratio, mark }: Row): number | null => {
  const value = ratio?.median ?? figures['ours']?.median
  if (mark === null || value === undefined) return null
  return 'atLeast' in mark ? value / mark.atLeast : mark.atMost / Math.max(value, mark.atMost / muchBetter)
}
