import { isStoreError, silentLogger } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { startCluster } from '@nexus/testkit/postgres'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { openPgClient, type PgClient } from '../src/client.ts'
import { openPgBackend } from '../src/index.ts'
import { meaningOf, sqlStateOf } from '../src/pg-errors.ts'
import { emptyDatabase } from './database.ts'
import { type PgHarness, usePostgres } from './harness.ts'

const open = usePostgres()

/** A slow machine decides nothing here. */
const patient = { logger: silentLogger, timeoutMs: 10_000 }

const thrown = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )

/** What a call ended with: its SQLSTATE, code and outcome, and whether the table says that it is repeated. */
const classOf = (error: unknown) => ({
  state: sqlStateOf(error),
  ...(isStoreError(error) && { code: error.code, outcome: error.outcome }),
  retry: meaningOf(error)?.retry,
})

const notApplied = { code: 'unavailable', outcome: 'not-applied', retry: false }
const unknown = { code: 'unavailable', outcome: 'unknown', retry: false }
const callers = { code: 'invalid', outcome: 'not-applied', retry: false }

const raise = (state: string): string => `DO $$ BEGIN RAISE 'x' USING ERRCODE = '${state}'; END $$`

const ask =
  (text: string, values: unknown[] = []) =>
  (client: PgClient) =>
    client.query(text, values)

describe('[C-PG-5] an error that the server itself gives, as a call ends with it', () => {
  test.each<[string, string, object, (client: PgClient) => Promise<unknown>]>([
    ['U+0000 in a text', '22021', callers, ask('SELECT $1::text', ['\u0000'])],
    ['U+0000 in jsonb', '22P05', callers, ask('SELECT $1::jsonb', ['"\\u0000"'])],
    ['a division by zero', '22012', callers, ask('SELECT 1/0')],
    ['a key that is there', '23505', callers, ask('INSERT INTO t VALUES (1)')],
    ['a null where none may be', '23502', callers, ask('INSERT INTO t VALUES (NULL)')],
    ['a check', '23514', callers, ask('INSERT INTO t VALUES (-1)')],
    ['values that the statement has no place for', '08P01', unknown, ask('SELECT $1::int + $2::int', [1])],
    ['a session that an operator ended', '57P01', unknown, ask('SELECT pg_terminate_backend(pg_backend_pid())')],
    [
      'a statement that an operator ended',
      '57014',
      unknown,
      ask('SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(9)'),
    ],
    ['a disk that is full (raised by hand)', '53100', notApplied, ask(raise('53100'))],
    ['no memory (raised by hand)', '53200', notApplied, ask(raise('53200'))],
  ])('%s: %s', async (_, state, expected, call) => {
    await using database = await emptyDatabase()
    await database.client.query('CREATE TABLE t (n int PRIMARY KEY CHECK (n > 0)); INSERT INTO t VALUES (1)')
    expect(classOf(await thrown(call(database.client)))).toEqual({ state, ...expected })
    expect((await database.client.query('SELECT n FROM t')).rows).toEqual([{ n: 1 }])
  })
})

/** Resolves once so many statements wait for a lock that another session holds. */
const untilBlocked = async ({ sql }: PgHarness, count: number): Promise<void> => {
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  while ((await sql.query(waiting)).rows.length < count);
}

const nameOf = (dsn: string): string => new URL(dsn).pathname.slice(1)

describe('[C-PG-5] an error whose reason passes', () => {
  test('40001: a save that another program overtook is repeated', async () => {
    await using t = await open()
    await t.foreign.insertHostState('agents', '1')
    await t.sql.query(`ALTER DATABASE ${nameOf(t.dsn)} SET default_transaction_isolation = 'repeatable read'`)
    const peer = await t.peer()
    const other = await t.sql.connect()
    await other.query(`BEGIN; UPDATE nexus_host_state SET data = '2'`)
    const saving = peer.hostState.save('agents', 3)
    await untilBlocked(t, 1)
    await other.query('COMMIT')
    other.release()
    expect(await saving).toMatchObject({ status: 'saved' })
    expect(await t.foreign.hostStateText('agents')).toBe('3')
  })

  test('40P01: operations that lose a deadlock are repeated, and apply once', async () => {
    await using t = await open()
    const operations = [t.backend.operations, (await t.peer()).operations]
    await t.sql.query(`CREATE TABLE crossed (n int PRIMARY KEY); INSERT INTO crossed VALUES (0), (1);
      CREATE FUNCTION cross_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM FROM crossed WHERE n = NEW.data::int FOR UPDATE;
        PERFORM pg_sleep(0.1);
        PERFORM FROM crossed WHERE n = 1 - NEW.data::int FOR UPDATE;
        RETURN NEW; END $$;
      CREATE TRIGGER cross_over BEFORE INSERT ON nexus_host_state FOR EACH ROW EXECUTE FUNCTION cross_over()`)
    const deadlocks = `SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()`
    const answers = await Promise.all(operations.map((each, n) => each?.saveState(`o${n}`, `k${n}`, n)))
    expect(answers.map((answer) => answer?.status)).toEqual(['saved', 'saved'])
    // The server tells of what happened a moment later.
    while ((await t.sql.query(deadlocks)).rows[0].n === 0);
  })

  test('25006: what became read-only is left behind, and once it is not every call is good', async () => {
    await using t = await open()
    const setReadOnly = (value: string) =>
      t.sql.query(`ALTER DATABASE ${nameOf(t.dsn)} SET default_transaction_read_only = ${value}`)
    await setReadOnly('on')
    await using client = openPgClient({ dsn: t.dsn, ...patient })
    const write = () => client.query(`INSERT INTO nexus_host_state (key, data) VALUES (gen_random_uuid(), '1')`)
    await Promise.all([1, 2, 3].map(() => client.query('SELECT pg_sleep(0.1)')))
    expect(classOf(await thrown(write()))).toEqual({ state: '25006', ...notApplied })
    await setReadOnly('off')
    for (const _ of [1, 2, 3]) expect(await write()).toMatchObject({ rowCount: 1 })
  })
})

/** Takes every connection that the server has. */
const fillUp = async (dsn: string): Promise<AsyncDisposable> => {
  const held: pg.Client[] = []
  for (;;) {
    const client = new pg.Client({ connectionString: dsn })
    client.on('error', () => {})
    try {
      await client.connect()
    } catch (error) {
      if (sqlStateOf(error) !== '53300') throw error
      break
    }
    held.push(client)
  }
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(held.map((client) => client.end()))
    },
  }
}

describe('[C-PG-5] a server that takes no more connections', () => {
  test('53300: because it has as many as it may, is no outage', async () => {
    await using cluster = await startCluster()
    await using backend = await openPgBackend({
      dsn: cluster.dsn,
      maxConnections: 2,
      ...createFakes().context,
      ...patient,
    })
    await using client = openPgClient({ dsn: cluster.dsn, ...patient })
    {
      await using _ = await fillUp(cluster.dsn)
      expect(classOf(await thrown(client.query('SELECT 1')))).toEqual({ state: '53300', ...notApplied })
      expect(await backend.health('hostState')).toEqual({ status: 'ok' })
      expect(await backend.hostState.save('agents', 1)).toMatchObject({ status: 'saved' })
    }
    expect((await client.query('SELECT 1 AS n')).rows).toEqual([{ n: 1 }])
  })

  test('57P03: because it stops, as it says also while it starts, is down; those that are connected go on', async () => {
    await using cluster = await startCluster()
    await using client = openPgClient({ dsn: cluster.dsn, ...patient })
    await using backend = await openPgBackend({
      dsn: cluster.dsn,
      maxConnections: 1,
      ...createFakes().context,
      ...patient,
    })
    // Waits until the last one has left.
    process.kill(cluster.pid, 'SIGTERM')
    for (;;) {
      const error = await thrown(client.query('SELECT 1'))
      if (error === undefined) await client.pool.query('SELECT pg_terminate_backend(pg_backend_pid())').catch(() => {})
      else if (sqlStateOf(error) !== '57P01') {
        expect(classOf(error)).toEqual({ state: '57P03', ...notApplied })
        break
      }
    }
    expect(await backend.health('hostState')).toMatchObject({ status: 'down' })
    expect(await backend.hostState.save('agents', 1)).toMatchObject({ status: 'saved' })
  })
})
