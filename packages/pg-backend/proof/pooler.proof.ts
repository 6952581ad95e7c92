import { type Logger, silentLogger } from '@nexus/core'
import { allSuites, collectClauses, createFakes, failingClauses, testBackend } from '@nexus/testkit'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { openPgBackend } from '../src/backend.ts'
import { openPgClient, type PgClient } from '../src/client.ts'
import { inTurn, migrate } from '../src/migrate.ts'
import { migrations } from '../src/migrations.ts'
import { type Database, emptyDatabase } from '../test/database.ts'
import { usePostgres } from '../test/harness.ts'
import { usePooler } from './pooling.ts'
import { report } from './report.ts'
import { sendingTwice } from './sent-twice.ts'

const pooler = usePooler()
const through = (dsn: string): string => pooler().through(dsn)
const open = usePostgres({ reuse: true, way: (dsn) => ({ dsn: through(dsn), listenDsn: dsn }) })

describe('pooler: every clause, with a connection of its own for LISTEN', () => {
  const clauses = { passed: 0, failed: 0 }
  afterEach(({ task }) => {
    clauses[task.result?.errors?.length ? 'failed' : 'passed'] += 1
  })
  afterAll(() => {
    const { fromClients, toServer } = pooler().connections()
    report('pooler', { ...clauses, clients: fromClients, connections: toServer })
    // They were shared, or nothing was shown.
    expect(toServer * 4).toBeLessThan(fromClients)
  })
  testBackend({ name: 'postgres through PgBouncer', open })
})

test('pooler: [C-ROUTE-10] every clause of host state and completions, each write sent twice at once under one id', async () => {
  const clauses = collectClauses(allSuites).filter(({ id }) => /^C-(STATE|COMPLETION)-/.test(id))
  const failing = await failingClauses(clauses, () => sendingTwice(open))
  report('pooler, sent twice', { clauses: clauses.length, failing: failing.length })
  expect(failing).toEqual([])
})

describe('pooler: without another connection for LISTEN', () => {
  const openDeaf = usePostgres({ reuse: true, way: (dsn) => ({ dsn: through(dsn) }) })

  test('[C-INBOX-19] the clauses of watching hold', { timeout: 120_000 }, async () => {
    const clauses = collectClauses(allSuites).filter(({ id }) => id === 'C-INBOX-19')
    expect(await failingClauses(clauses, openDeaf)).toEqual([])
    expect(clauses.length).toBeGreaterThan(2)
  })

  test('[C-INBOX-19] that nothing is heard is noticed and said once, and it polls', async () => {
    await using t = await openDeaf()
    const { context } = createFakes()
    const reasons: unknown[] = []
    const logger: Logger = {
      ...context.logger,
      warn: (_, fields) => fields?.['pollMs'] && reasons.push(fields['reason']),
    }
    await using backend = await openPgBackend({ ...context, logger, dsn: through(t.dsn) })
    const hints = backend.inbox.watch(AbortSignal.timeout(30_000))[Symbol.asyncIterator]()
    const start = performance.now()
    expect((await hints.next()).value).toEqual({ project: null })
    const first = performance.now()
    expect((await hints.next()).value).toEqual({ project: null })
    expect(reasons).toEqual([expect.stringMatching(/pooler/)])
    const seconds = (from: number, to: number): string => ((to - from) / 1000).toFixed(1)
    report('pooler, deaf', {
      first_poll_s: seconds(start, first),
      next_poll_s: seconds(first, performance.now()),
    })
  })
})

const clients = 10

/** So many at once, each with a client of its own on one empty database. */
const atOnce = async (work: (client: PgClient) => Promise<void>): Promise<Database> => {
  const database = await emptyDatabase()
  const dsn = through(database.dsn)
  await Promise.all(
    Array.from({ length: clients }, async () => {
      await using client = openPgClient({ dsn, logger: silentLogger, maxConnections: 2, timeoutMs: 10_000 })
      await work(client)
    }),
  )
  return database
}

test('pooler: [C-PG-1] an empty database is migrated once by ten clients that open it at the same time', async () => {
  await using database = await atOnce((client) => migrate({ client, logger: silentLogger }))
  const ledger = await database.client.query('SELECT FROM _prisma_migrations WHERE finished_at IS NOT NULL')
  report('pooler, migrations', { clients, migrations: migrations.length, applied: ledger.rowCount })
  expect(ledger.rowCount).toBe(migrations.length)
})

/** How many were at work at the same time that should have been alone. */
const mostInside = async (turn: typeof inTurn): Promise<number> => {
  let inside = 0
  let most = 0
  await using _ = await atOnce((client) =>
    turn({ client }, async (query) => {
      inside += 1
      most = Math.max(most, inside)
      await query('SELECT pg_sleep(0.05)')
      inside -= 1
    }),
  )
  return most
}

/** The planted bug: the lock belongs to the session, and is taken and given back in statements of their own. */
const inSessionsTurn: typeof inTurn = async ({ client }, work) => {
  while (!(await client.query('SELECT pg_try_advisory_lock(1) AS locked')).rows[0]?.['locked']);
  try {
    return await client.transaction(work)
  } finally {
    await client.query('SELECT pg_advisory_unlock(1)')
  }
}

test('pooler: [C-PG-1] who migrates is alone; a lock of the session in place of the transaction is caught', async () => {
  const inside = await mostInside(inTurn)
  const planted = await mostInside(inSessionsTurn)
  report('pooler, one at a time', { clients, inside, planted })
  expect(inside).toBe(1)
  expect(planted).toBeGreaterThan(1)
})
