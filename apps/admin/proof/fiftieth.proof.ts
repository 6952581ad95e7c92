import { join } from 'node:path'
import { type Backend, createIds, type StoreName, silentLogger, storeNames, systemClock } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { expect, test } from 'vitest'
import { contentOf } from '../src/move/content.ts'
import { Differences } from '../src/move/diff.ts'
import { Receipt } from '../src/move/migrate-commands.ts'
import type { Migration } from '../src/move/migration.ts'
import { recordPages } from '../src/move/pages.ts'
import { type Ground, grounds, jsonOf } from '../test/admin.ts'
import { createDice, type MigratorEnd, runMigrator } from './migrator.ts'
import { fillStore, numberOf, recordOf, report } from './records.ts'

const isLong = process.env['NEXUS_PROOF'] === 'long'
const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? Math.trunc(Math.random() * 1e9))
/** So many fiftieths of a million completions and what goes with them. */
const times = Number(process.env['NEXUS_PROOF_TIMES'] ?? (isLong ? 50 : 1))

const amounts: Readonly<Record<StoreName, number>> = {
  completions: 20_000 * times,
  inbox: 2_000 * times,
  taskFiles: 1_000 * times,
  workflows: 400 * times,
  hostState: 20 * times,
}
const all = Object.values(amounts).reduce((sum, each) => sum + each, 0)
const { signal } = new AbortController()

const context = {
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown' as const,
}

const recordsOf = ({ records }: Backend) => {
  if (!records) throw new Error('no records')
  return records
}

const fill = async (root: string, wanted: Partial<Record<StoreName, number>>): Promise<void> => {
  await using source = await openFsBackend({ root, ...context })
  for (const store of storeNames) await fillStore(recordsOf(source), store, wanted[store] ?? 0)
}

/** Everything on files, and an empty database. */
const openGround = async (): Promise<Ground> => {
  const ground = await grounds.mixed()
  return { ...ground, env: { ...ground.env, NEXUS_INBOX_BACKEND: '', NEXUS_COMPLETION_BACKEND: '' } }
}

/** Reads everything past the program, and holds each record against the one that was made. */
const check = async <S extends StoreName>(backend: Backend, store: S): Promise<void> => {
  const seen = new Uint8Array(amounts[store])
  for await (const { items, corrupt } of recordPages(recordsOf(backend), store, signal)) {
    expect(corrupt).toEqual([])
    for (const record of items) {
      const n = numberOf(store, record)
      seen[n] = (seen[n] ?? 0) + 1
      const made = contentOf(store, recordOf(store, n))
      if (contentOf(store, record) !== made) expect(contentOf(store, record), `${store} ${n}`).toBe(made)
    }
  }
  expect(
    seen.findIndex((count) => count !== 1),
    store,
  ).toBe(-1)
}

type Way = readonly ['--from', string, '--to', string]
const there: Way = ['--from', 'filesystem', '--to', 'postgres']
const back: Way = ['--from', 'postgres', '--to', 'filesystem']

interface Moved {
  receipt: Migration
  seconds: number
  peakMiB: number
  killed: number[]
}

/** Moves everything one way with so many kills of the program at random moments, and lets the last run end. */
const move = async (
  way: Way,
  kills: number,
  env: Record<string, string>,
  dice: (n: number) => number,
): Promise<Moved> => {
  const args = ['migrate', 'run', ...way, '--drain-timeout', '0', '--json']
  const since = performance.now()
  const ends: MigratorEnd[] = []
  const killed: number[] = []
  for (let n = 0; n < kills; n += 1) {
    const killAfterMs = 600 + dice(2_500 * Math.min(times, 10) * (1 + n))
    const end = await runMigrator(args, { env, killAfterMs })
    ends.push(end)
    if (end.wasKilled) killed.push(killAfterMs)
  }
  const end = await runMigrator(args, { env })
  expect(end.status, `seed ${seed}, killed at ${killed.join(', ')} ms\n${end.stderr}`).toBe(0)
  const peakMiB = Math.max(end.peakMiB, ...ends.map((each) => each.peakMiB))
  const { receipt } = jsonOf(Receipt, end)
  return { receipt, seconds: (performance.now() - since) / 1000, peakMiB, killed }
}

const verify = async (way: Way, env: Record<string, string>): Promise<MigratorEnd> => {
  const end = await runMigrator(['migrate', 'verify', ...way, '--json'], { env })
  expect(end.status, end.stderr).toBe(0)
  const found = jsonOf(Differences, end)
  expect(found).toMatchObject({ equal: true, differences: [] })
  expect(found.stores.map(({ store, to_records: records }) => [store, records])).toEqual(
    storeNames.map((store) => [store, amounts[store]]),
  )
  return end
}

test('a fiftieth of a million completions moves to PostgreSQL and back, its migrator killed five times', {
  timeout: 300_000 * times,
}, async () => {
  await using ground = await openGround()
  const { env } = ground
  const dice = createDice(seed)
  const since = performance.now()
  await fill(env['NEXUS_DIR'] ?? '', amounts)
  const filled = performance.now()
  const to = await move(there, 3, env, dice)
  {
    await using database = await openPgBackend({ dsn: env['NEXUS_STORAGE_DSN'] ?? '', ...context })
    for (const store of storeNames) await check(database, store)
  }
  // A root of its own: what is found there in the end can only have come back from the database.
  const returned = { ...env, NEXUS_DIR: join(ground.folder, 'returned') }
  const from = await move(back, 2, returned, dice)
  const last = await verify(back, returned)
  report('a move there and back', {
    records: all,
    kills: to.killed.length + from.killed.length,
    fill_s: Math.round((filled - since) / 1000),
    there_s: Math.round(to.seconds),
    back_s: Math.round(from.seconds),
    all_s: Math.round((performance.now() - since) / 1000),
    peak_MiB: Math.round(Math.max(to.peakMiB, from.peakMiB, last.peakMiB)),
    seed,
  })
  expect(to.killed.length + from.killed.length, `seed ${seed}`).toBeGreaterThan(0)
})
