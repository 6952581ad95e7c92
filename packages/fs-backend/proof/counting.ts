import type { Dir, Dirent, OpenDirOptions } from 'node:fs'
import type { sys } from '../src/syscalls.ts'

/** What one call cost. */
export interface Cost {
  calls: number
  /** Names that listings gave. */
  names: number
  /** Records that were opened. */
  records: number
  ms: number
}

type Sys = typeof sys

/** Counts what goes through the system calls of the store. Plain functions: a spy would hold all that it ever saw. */
export const createCounting = (calls: Sys) => {
  const count = { calls: 0, names: 0, records: 0 }
  const real = { ...calls }
  for (const name of Object.keys(real) as (keyof Sys)[]) {
    const call = real[name] as (...args: unknown[]) => Promise<unknown>
    const counted = (...args: unknown[]): Promise<unknown> => {
      count.calls += 1
      if (name === 'open' && String(args[0]).endsWith('.json')) count.records += 1
      return call(...args)
    }
    Object.assign(calls, { [name]: counted })
  }
  const opendir = async (path: string, options: OpenDirOptions): Promise<Dir> => {
    count.calls += 1
    const dir = await real.opendir(path, options)
    const entries = async function* (): AsyncGenerator<Dirent> {
      for await (const entry of dir) {
        count.names += 1
        yield entry
      }
    }
    return Object.assign(Object.create(dir), { [Symbol.asyncIterator]: entries })
  }
  const readdir = async (path: string): Promise<Dirent[]> => {
    count.calls += 1
    const entries = await real.readdir(path, { withFileTypes: true })
    count.names += entries.length
    return entries
  }
  Object.assign(calls, { opendir, readdir })
  return async <T>(work: () => Promise<T>): Promise<{ answer: T; cost: Cost }> => {
    const before = { ...count }
    const from = performance.now()
    const answer = await work()
    const ms = performance.now() - from
    const cost = {
      calls: count.calls - before.calls,
      names: count.names - before.names,
      records: count.records - before.records,
      ms,
    }
    return { answer, cost }
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

export const medianCost = (costs: readonly Cost[]): Cost => ({
  calls: median(costs.map(({ calls }) => calls)),
  names: median(costs.map(({ names }) => names)),
  records: median(costs.map(({ records }) => records)),
  ms: median(costs.map(({ ms }) => ms)),
})
