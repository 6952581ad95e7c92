import { silentLogger } from '@nexus/core'
import { type Harness, openHarness } from '@nexus/testkit'
import { type FreshDatabase, freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import pg from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { openPgBackend, type PgBackendOptions } from '../src/backend.ts'
import { openPgClient } from '../src/client.ts'
import { migrate } from '../src/migrate.ts'
import { createForeignSql } from './foreign.ts'

export interface PgHarness extends Harness {
  dsn: string
  /** Plain SQL, as another program has it. */
  sql: pg.Pool
}

const openSql = (dsn: string): pg.Pool => {
  const pool = new pg.Pool({ connectionString: dsn, max: 3 })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** What the inbox compares with the database's clock. */
const inboxTimes = ['run_at', 'claimed_at', 'lease_expires_at', 'created_at', 'processed_at']

/**
 * The database's clock cannot be turned, so what is compared with it moves into the past and the wall clock stays beside
 * it. Other stores only need times that differ: two milliseconds really pass.
 */
const letTimePass = async (sql: pg.Pool, ms: number): Promise<void> => {
  const moved = inboxTimes.map((column) => `${column} = ${column} - make_interval(secs => $1)`)
  await sql.query(`UPDATE nexus_inbox_queue SET ${moved.join(', ')}`, [ms / 1000])
  await sql.query('SELECT pg_sleep(0.002)')
}

const tables = [
  'workflows',
  'completions',
  'host_state',
  'task_files',
  'inbox_queue',
  'quarantine',
  'applied',
  'conflicts',
  'moved',
]

const fences = `SELECT tgrelid::regclass::text AS fenced FROM pg_trigger WHERE tgname = 'nexus_moved_fence'`

/** Emptied instead of dropped: a database costs four times what emptying one does. */
const empty = async (sql: pg.Pool): Promise<void> => {
  const { rows } = await sql.query<{ fenced: string }>(fences)
  for (const { fenced } of rows) await sql.query(`DROP TRIGGER nexus_moved_fence ON ${fenced}`)
  await sql.query(`TRUNCATE ${tables.map((table) => `nexus_${table}`)} RESTART IDENTITY`)
}

/** How the backend gets to a database: directly unless there is a way. */
type Way = (dsn: string) => Pick<PgBackendOptions, 'dsn' | 'listenDsn'>

interface Opening {
  way: Way
  /** Takes the emptied database for the next harness; without it the database is dropped. */
  giveBack?: ((database: FreshDatabase) => void) | undefined
}

const openOn = async (database: FreshDatabase, { way, giveBack }: Opening): Promise<PgHarness> => {
  const { dsn } = database
  const sql = openSql(dsn)
  const harness = await openHarness({
    open: (context) => openPgBackend({ ...way(dsn), maxConnections: 4, timeoutMs: 10_000, ...context }),
    foreign: () => createForeignSql(sql),
    async advance(ms, clock) {
      clock.advance(ms)
      clock.jump(-ms)
      await letTimePass(sql, ms)
    },
    async remove() {
      if (giveBack) await empty(sql)
      await sql.end()
      if (giveBack) giveBack(database)
      else await database[Symbol.asyncDispose]()
    },
  })
  return Object.assign(harness, { dsn, sql })
}

/**
 * Databases for one test file: the tables are made once, over what `before` left there; each harness has a copy. With
 * `reuse` the copies go round: for suites that leave tables, triggers and roles as they are.
 */
export const usePostgres = ({
  before = '',
  reuse = false,
  way = (dsn: string): ReturnType<Way> => ({ dsn }),
} = {}): (() => Promise<PgHarness>) => {
  const idle: FreshDatabase[] = []
  let server = ''
  let template: FreshDatabase | undefined
  beforeAll(async () => {
    server = await testDsn()
    template = await freshDatabase(server)
    await using client = openPgClient({ dsn: template.dsn, logger: silentLogger })
    if (before !== '') await client.query(before)
    await migrate({ client, logger: silentLogger })
  })
  afterAll(async () => {
    for (const database of idle) await database[Symbol.asyncDispose]()
    await template?.[Symbol.asyncDispose]()
  })
  return async () => {
    if (!template) throw new Error('Harnesses are opened inside of tests only.')
    const database = idle.pop() ?? (await freshDatabase(server, new URL(template.dsn).pathname.slice(1)))
    return openOn(database, { way, giveBack: reuse ? (emptied) => void idle.push(emptied) : undefined })
  }
}
