import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Backend } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { expect, test } from 'vitest'
import { context } from './context.ts'
import { completionOf, recordsOf } from './records.ts'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'
import { openStores } from './stores.ts'

/** Of completions; the larger one in the long form. */
const sizes = process.env['NEXUS_BENCH'] === 'long' ? [10_000, 100_000] : [10_000]
/** Of an issue. */
const perIssue = 4
const perCall = 1000
const rounds = 5

const fill = async (root: string, count: number): Promise<void> => {
  await using backend = await openFsBackend({ root, ...context })
  for (let from = 0; from < count; from += perCall)
    await recordsOf(backend).write(
      'completions',
      Array.from({ length: perCall }, (_, n) => completionOf(from + n)),
    )
}

/** Every file of the project's issues, read and parsed one after the other. */
const readAll = (issues: string): number => {
  let found = 0
  for (const issue of readdirSync(issues))
    for (const name of readdirSync(join(issues, issue))) {
      JSON.parse(readFileSync(join(issues, issue, name), 'utf8'))
      found += 1
    }
  return found
}

/** The first page of the newest reports, for which every record has to be looked at. */
const scan = async (stores: Backend, count: number): Promise<number> => {
  const page = await stores.completions.scan({ project: 'shop', limit: 100 })
  const last = count / perIssue - 1
  expect(page.items.map(({ dedupKey }) => dedupKey).slice(0, 2)).toEqual([
    `${last}:tester:complete`,
    `${last - 1}:tester:complete`,
  ])
  return page.items.length
}

const msOf = async (work: () => unknown): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/** The longest time in which nothing else of this process had its turn while `work` ran, in milliseconds. */
const longestStop = async (work: () => Promise<unknown>): Promise<number> => {
  const resolution = 1
  const delays = monitorEventLoopDelay({ resolution })
  delays.enable()
  await work()
  delays.disable()
  return delays.max / 1e6 - resolution
}

for (const count of sizes) {
  const many = count.toLocaleString('en-US')
  /** Files per second. */
  const rateIn = async (work: () => unknown): Promise<number> => (count * 1000) / (await msOf(work))

  test(`the newest of ${many} completions on files, cold and again, beside reading them all`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
    try {
      await fill(root, count)
      const issues = join(root, 'tasks/shop/completions/.by-key')
      await using warm = await openStores({ NEXUS_DIR: root })
      const found = await interleave(
        {
          async cold() {
            await using stores = await openStores({ NEXUS_DIR: root })
            return await rateIn(() => scan(stores, count))
          },
          async stop() {
            await using stores = await openStores({ NEXUS_DIR: root })
            return await longestStop(() => scan(stores, count))
          },
          again: () => rateIn(() => scan(warm, count)),
          raw: () => rateIn(() => expect(readAll(issues)).toBe(count)),
        },
        rounds,
      )
      const measured = { unit: '/s', against: 'raw' } as const
      publish({
        ...measured,
        row: `newest of ${many} completions, cold, files`,
        rounds: { ours: found.cold, raw: found.raw },
        mark: { atLeast: 0.85 },
      })
      publish({
        row: `newest of ${many} completions, cold, files: longest stop of the loop`,
        unit: 'ms',
        rounds: { ours: found.stop },
        mark: { atMost: 20 },
      })
      publish({
        ...measured,
        row: `newest of ${many} completions, nothing changed, files`,
        rounds: { ours: found.again, raw: found.raw },
        mark: { atLeast: 2 },
      })
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  })
}
