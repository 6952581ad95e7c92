import { type Logger, silentLogger } from '@nexus/core'
import { allSuites, collectClauses, createFakes, failingClauses, testBackend } from '@nexus/testkit'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { openPgBackend } from '../src/backend.ts'
import { openPgClient, type PgClient } from '../src/client.ts'
import { migrate } from '../src/migrate.ts'
import { migrations } from '../src/migrations.ts'
import { emptyDatabase } from '../test/database.ts'
import { usePostgres } from '../test/harness.ts'
import { usePooler } from './pooling.ts'
import { report } from './report.ts'

const pooler = usePooler()
const through = (dsn: string): string => pooler().through(dsn)

describe('pooler: every clause, with a connection of its own for LISTEN', () => {
  const clauses = { passed: 0, failed: 0 }
  afterEach(({ task }) => {
    clauses[task.result?.errors?.length ? 'failed' : 'passed'] += 1
  })
  afterAll(() => {
    const { fromClients, toServer } = pooler().connections()
    report('pooler', { ...clauses, clients: fromClients, connections: toServer })
    // Fewer than one for ten clients: they were shared, or nothing was shown.
    expect(toServer * 10).toBeLessThan(fromClients)
  })
  testBackend({
    name: 'postgres through PgBouncer',
    open: usePostgres({ reuse: true, way: (dsn) => ({ dsn: through(dsn), listenDsn: dsn }) }),
  })
})

describe('pooler: without another connection for LISTEN', () => {
  const open = usePostgres({ reuse: true, way: (dsn) => ({ dsn: through(dsn) }) })

  test('[C-INBOX-19] the clauses of watching hold', { timeout: 120_000 }, async () => {
    const clauses = collectClauses(allSuites).filter(({ id }) => id === 'C-INBOX-19')
    expect(await failingClauses(clauses, open)).toEqual([])
    expect(clauses.length).toBeGreaterThan(2)
  })

  test('[C-INBOX-19] that nothing is heard is noticed and said once, and it polls', async () => {
    await using t = await open()
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

/** Migrates an empty database from ten clients at once; how many failed, and how often the ledger has each migration. */
const migrateAtOnce = async (change: (client: PgClient) => PgClient) => {
  await using database = await emptyDatabase()
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, async () => {
      await using client = openPgClient({ dsn: through(database.dsn), logger: silentLogger, maxConnections: 2 })
      await migrate({ client: change(client), logger: silentLogger, patienceMs: 10_000 })
    }),
  )
  const ledger = await database.client.query(`SELECT FROM _prisma_migrations WHERE finished_at IS NOT NULL`)
  return {
    failed: results.filter(({ status }) => status === 'rejected').length,
    ledger: ledger.rowCount,
    migrations: migrations.length,
  }
}

/** The lock of a session instead of the transaction's: taken and given back in statements of their own. */
const withSessionLock = (client: PgClient): PgClient => ({
  ...client,
  async transaction(body, options) {
    await client.query('SELECT pg_advisory_lock(1)')
    try {
      return await client.transaction(
        (query) =>
          body((text, ...rest) => query(text.replace('pg_try_advisory_xact_lock($1)', '$1::int > 0'), ...rest)),
        options,
      )
    } finally {
      await client.query('SELECT pg_advisory_unlock(1)')
    }
  },
})

test('pooler: [C-PG-1] an empty database is migrated once by ten clients that open it at the same time', async () => {
  const { failed, ledger, migrations } = await migrateAtOnce((client) => client)
  report('pooler, migrations', { clients: 10, failed, ledger, migrations })
  expect({ failed, ledger }).toEqual({ failed: 0, ledger: migrations })
})

test('pooler: a lock of the session in place of the transaction is caught', async () => {
  const { failed, ledger, migrations } = await migrateAtOnce(withSessionLock)
  report('pooler, planted lock', { clients: 10, failed, ledger, migrations })
  expect(failed > 0 || ledger !== migrations).toBe(true)
})
