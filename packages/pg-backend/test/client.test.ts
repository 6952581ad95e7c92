import { once } from 'node:events'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { silentLogger } from '@nexus/core'
import { startCluster } from '@nexus/testkit/postgres'
import { describe, expect, test } from 'vitest'
import { openPgClient } from '../src/client.ts'
import { emptyDatabase, migratedDatabase } from './database.ts'

const canary = 'canary-3f9a'

/** Takes connections and never says a word: what packets that are dropped on the way look like. */
const silentServer = async () => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { dsn: `postgresql://nexus:${canary}@127.0.0.1:${port}/x`, [Symbol.dispose]: () => server.close() }
}

describe('[C-ALL-2] a database that is not there', () => {
  test('refuses at once, certainly not applied', async () => {
    const { dsn } = await silentServer().then((server) => {
      server[Symbol.dispose]()
      return server
    })
    await using client = openPgClient({ dsn, logger: silentLogger })
    await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
  })

  test('that never answers is given up in time, also in a second call', async () => {
    using server = await silentServer()
    await using client = openPgClient({ dsn: server.dsn, logger: silentLogger, timeoutMs: 300 })
    for (const statement of ['SELECT 1', 'SELECT 2']) {
      const start = performance.now()
      await expect(client.query(statement)).rejects.toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
      expect(performance.now() - start).toBeLessThan(1000)
    }
  })

  test('and is back, serves again; the process lives through the end of idle and busy connections', async () => {
    await using cluster = await startCluster()
    await using client = openPgClient({ dsn: cluster.dsn, logger: silentLogger })
    await client.query('CREATE TABLE t AS SELECT 1 AS n')
    const busy = client.query('SELECT pg_sleep(60)', [], { timeoutMs: 60_000 }).catch((error) => error)
    await client.query('SELECT n FROM t')
    await cluster.kill()
    expect(await busy).toMatchObject({ code: 'unavailable', outcome: 'unknown' })
    await expect(client.query('SELECT n FROM t')).rejects.toMatchObject({ code: 'unavailable' })
    await cluster.start()
    expect((await client.query('SELECT n FROM t')).rows).toEqual([{ n: 1 }])
  })
})

describe('one call', () => {
  test('that takes too long is given up as perhaps applied, and its connection is not used again', async () => {
    await using database = await emptyDatabase({ timeoutMs: 300, maxConnections: 1 })
    const { query } = database.client
    const pid = async () => (await query('SELECT pg_backend_pid() AS pid')).rows[0]?.['pid']
    const former = await pid()
    await expect(query('SELECT pg_sleep(60)')).rejects.toMatchObject({ code: 'unavailable', outcome: 'unknown' })
    expect(await pid()).not.toBe(former)
  })

  test("keeps its connection when the caller's value was refused", async () => {
    await using database = await emptyDatabase({ maxConnections: 1 })
    const { query } = database.client
    const pid = async () => (await query('SELECT pg_backend_pid() AS pid')).rows[0]?.['pid']
    const former = await pid()
    await expect(query('SELECT $1::int', ['x'])).rejects.toMatchObject({ code: 'invalid' })
    expect(await pid()).toBe(former)
  })

  test('[C-ALL-12] stops with its signal, before and during', async () => {
    await using database = await emptyDatabase({ maxConnections: 1 })
    const { query } = database.client
    await expect(query('SELECT 1', [], { signal: AbortSignal.abort(new Error('no more')) })).rejects.toThrow('no more')
    const during = new AbortController()
    const call = query('SELECT pg_sleep(60)', [], { signal: during.signal, timeoutMs: 60_000 })
    during.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    expect((await query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })
})

describe('a transaction', () => {
  test('does all or nothing', async () => {
    await using database = await emptyDatabase()
    const { query, transaction } = database.client
    await query('CREATE TABLE t (n int)')
    const failing = transaction(async (send) => {
      await send('INSERT INTO t VALUES (1)')
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    await transaction((send) => send('INSERT INTO t VALUES (2)'))
    expect((await query('SELECT n FROM t')).rows).toEqual([{ n: 2 }])
  })

  test('that loses a deadlock is done again', async () => {
    await using database = await emptyDatabase()
    const { query, transaction } = database.client
    await query('CREATE TABLE t AS SELECT id, 0 AS n FROM generate_series(1, 2) AS id')
    let runs = 0
    let meet = (): void => {}
    const both = new Promise<void>((resolve) => {
      meet = resolve
    })
    const add = (first: number, second: number) =>
      transaction(
        async (send) => {
          runs += 1
          await send('UPDATE t SET n = n + 1 WHERE id = $1', [first])
          if (runs === 2) meet()
          await both
          await send('UPDATE t SET n = n + 1 WHERE id = $1', [second])
        },
        { timeoutMs: 20_000 },
      )
    await Promise.all([add(1, 2), add(2, 1)])
    // One of them loses, or both where the server looks at them at the same moment.
    expect(runs).toBeGreaterThan(2)
    expect((await query('SELECT n FROM t')).rows).toEqual([{ n: 2 }, { n: 2 }])
  })
})

test('Prisma and plain SQL share the pool', async () => {
  await using database = await migratedDatabase()
  const prisma = await database.client.prisma()
  await prisma.hostState.create({ data: { key: 'k', data: '{}' } })
  expect((await database.client.query('SELECT data FROM nexus_host_state')).rows).toEqual([{ data: '{}' }])
  expect(await prisma.inboxTask.findMany()).toEqual([])
  expect(database.client.pool.totalCount).toBeLessThanOrEqual(10)
})

describe('the password of the DSN appears nowhere', () => {
  test.each([
    `postgresql://nexus:${canary}@127.0.0.1:notaport/x`,
    `mysql://nexus:${canary}@h/x`,
    `host=x password=${canary}`,
  ])('in the refusal of one that does not parse', (dsn) => {
    const refusal = (() => {
      try {
        openPgClient({ dsn, logger: silentLogger })
        return undefined
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toMatchObject({ code: 'invalid' })
    expect(inspect(refusal, { depth: 9 })).not.toContain(canary)
  })

  test('in the error of one that is not reached, or not let in', async () => {
    const { dsn } = await emptyDatabase().then(async (database) => {
      await database[Symbol.asyncDispose]()
      return database
    })
    const url = new URL(dsn)
    url.password = canary
    await using client = openPgClient({ dsn: url.href, logger: silentLogger })
    const error = await client.query('SELECT 1').catch((reason) => reason)
    expect(error).toMatchObject({ code: 'unavailable' })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(canary)
  })
})
