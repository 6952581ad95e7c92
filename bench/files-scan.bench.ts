import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { expect, test } from 'vitest'
import { context } from './context.ts'
import { completionOf, recordsOf } from './records.ts'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'
import { openStores } from './stores.ts'

const count = 10_000
const perCall = 1000
const rounds = 5

const fill = async (root: string): Promise<void> => {
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
const scan = async (stores: Backend): Promise<number> => {
  const page = await stores.completions.scan({ project: 'shop', limit: 100 })
  expect(page.items.map(({ dedupKey }) => dedupKey).slice(0, 2)).toEqual([
    '2499:tester:complete',
    '2498:tester:complete',
  ])
  return page.items.length
}

const msOf = async (work: () => unknown): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/** Files per second. */
const rateIn = async (work: () => unknown): Promise<number> => (count * 1000) / (await msOf(work))

test('the newest of 10,000 completions on files, cold and again, beside reading them all', async () => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  try {
    await fill(root)
    const issues = join(root, 'tasks/shop/completions/.by-key')
    await using warm = await openStores({ NEXUS_DIR: root })
    const found = await interleave(
      {
        async cold() {
          await using stores = await openStores({ NEXUS_DIR: root })
          return await rateIn(() => scan(stores))
        },
        again: () => rateIn(() => scan(warm)),
        raw: () => rateIn(() => expect(readAll(issues)).toBe(count)),
      },
      rounds,
    )
    const measured = { unit: '/s', against: 'raw' } as const
    publish({
      ...measured,
      row: 'newest of 10,000 completions, cold, files',
      rounds: { ours: found.cold, raw: found.raw },
      mark: { atLeast: 0.85 },
    })
    publish({
      ...measured,
      row: 'newest of 10,000 completions, nothing changed, files',
      rounds: { ours: found.again, raw: found.raw },
      mark: { atLeast: 2 },
    })
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})
