import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { context } from './context.ts'
import { openPrisma } from './peers/prisma.ts'
import { publish } from './results.ts'
import { interleave, rateOf } from './rounds.ts'
import { startServer } from './server.ts'
import { openStores } from './stores.ts'

const loads = [
  { callers: 1, jobs: 600, keys: 200, mark: 0.85 },
  { callers: 32, jobs: 8_000, keys: 2_000, mark: 2.5 },
  { callers: 256, jobs: 16_000, keys: 4_000, mark: 3.5 },
]

const value = (n: number) => ({ n, status: 'running', note: 'x'.repeat(200) })

/** The plain statements with the same effects: a save of a host is known by its id, so that no outage doubles it. */
const plain = {
  save: {
    name: 'save',
    text: `WITH done AS (INSERT INTO nexus_host_state AS h (key, data, updated_at) VALUES ($1, $2, clock_timestamp())
        ON CONFLICT (key) DO UPDATE SET data = excluded.data, updated_at = clock_timestamp() RETURNING h.key),
      applied AS (INSERT INTO nexus_applied (id, answer) SELECT $3, '{}' FROM done)
      SELECT key FROM done`,
  },
  load: { name: 'load', text: 'SELECT h.key, h.data, h.updated_at FROM nexus_host_state AS h WHERE h.key = $1' },
}

test('one record at a time on PostgreSQL', async () => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  await using server = await startServer()
  await using database = await server.database()
  await using other = await server.database()
  await using third = await server.database()
  const variables = { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_DIR: root }
  await using stores = await openStores({ ...variables, NEXUS_STORAGE_DSN: database.dsn })
  for (const { dsn } of [other, third])
    await (await openStores({ ...variables, NEXUS_STORAGE_DSN: dsn }))[Symbol.asyncDispose]()
  const pool = new pg.Pool({ connectionString: other.dsn, max: 10 })
  const prismaPool = new pg.Pool({ connectionString: third.dsn, max: 10 })
  const prisma = openPrisma(prismaPool)
  for (const { callers, jobs, keys, mark } of loads) {
    const keyOf = (n: number) => `${callers}-${n % keys}`
    const saved = new Map<string, number>()
    let round = 0
    const save = await interleave({
      async ours() {
        round += 1
        const first = round * jobs
        return rateOf(jobs, callers, async (n) => {
          await stores.hostState.save(keyOf(n), value(first + n))
          saved.set(keyOf(n), first + n)
        })
      },
      raw: () =>
        rateOf(jobs, callers, (n) =>
          pool.query({ ...plain.save, values: [keyOf(n), JSON.stringify(value(n)), context.ids.next()] }),
        ),
      Prisma: () => rateOf(jobs, callers, (n) => prisma.save(keyOf(n), JSON.stringify(value(n)))),
    })
    for (const [key, n] of saved) expect((await stores.hostState.load(key))?.value).toEqual(value(n))
    const load = await interleave({
      ours: () => rateOf(jobs, callers, (n) => stores.hostState.load(keyOf(n))),
      raw: () => rateOf(jobs, callers, (n) => pool.query({ ...plain.load, values: [keyOf(n)] })),
      Prisma: () => rateOf(jobs, callers, (n) => prisma.load(keyOf(n))),
    })
    const plural = callers === 1 ? '1 caller' : `${callers} callers`
    const [unit, against] = ['/s', 'raw'] as const
    publish({ row: `save one row, ${plural}`, unit, rounds: save, against, mark: { atLeast: mark } })
    publish({
      row: `load one row, ${plural}`,
      unit,
      rounds: load,
      against,
      ...(callers === 1 ? { mark: { atLeast: mark } } : {}),
    })
  }
  await pool.end()
  await prisma[Symbol.asyncDispose]()
  await prismaPool.end()
  await rm(root, { recursive: true })
})
