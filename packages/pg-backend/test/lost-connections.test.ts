import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { silentLogger } from '@nexus/core'
import { startCluster } from '@nexus/testkit/postgres'
import { startTcpProxy } from '@nexus/testkit/postgres/proxy'
import { expect, test } from 'vitest'
import { openPgClient, type PgClient } from '../src/client.ts'
import { createSockets } from '../src/sockets.ts'
import { emptyDatabase } from './database.ts'

const many = Array.from({ length: 6 })

/** A slow machine decides nothing here. */
const patient = { logger: silentLogger, timeoutMs: 20_000 }

/** All of them at once, so that each has a connection. */
const warmUp = ({ query }: PgClient) => Promise.all(many.map(() => query('SELECT pg_sleep(0.2)')))

const outcomes = async (calls: readonly Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(calls)).map(({ status }) => status)

test('[C-ALL-2] one call finds out that the line is cut, and not one for each connection that was there', async () => {
  await using database = await emptyDatabase()
  await using proxy = await startTcpProxy(database.dsn)
  await using client = openPgClient({ dsn: proxy.dsn, ...patient })
  await warmUp(client)
  expect(client.pool.idleCount).toBe(many.length)
  proxy.drop()
  await proxy.pass()
  const read = (timeoutMs?: number) => client.query('SELECT 1', [], { timeoutMs })
  await expect(read(500)).rejects.toMatchObject({ code: 'unavailable', outcome: 'unknown' })
  expect(await outcomes(many.map(() => read()))).toEqual(many.map(() => 'fulfilled'))
})

test('[C-ALL-2] a call that its own signal ended on a dead line is enough to find out', async () => {
  await using database = await emptyDatabase()
  await using proxy = await startTcpProxy(database.dsn)
  await using client = openPgClient({ dsn: proxy.dsn, ...patient })
  await warmUp(client)
  proxy.drop()
  await proxy.pass()
  await expect(client.query('SELECT 1', [], { signal: AbortSignal.timeout(300) })).rejects.toThrow('timeout')
  expect(await outcomes(many.map(() => client.query('SELECT 1')))).toEqual(many.map(() => 'fulfilled'))
})

test('[C-ALL-2] after a restart of the server every call is good, however many connections there were', async () => {
  await using cluster = await startCluster()
  await using client = openPgClient({ dsn: cluster.dsn, ...patient })
  await warmUp(client)
  await cluster.restart()
  expect(await outcomes(many.map(() => client.query('SELECT 1')))).toEqual(many.map(() => 'fulfilled'))
})

test('[C-ALL-2] a transaction whose program went silent in the middle of a message is ended by the server', async () => {
  await using database = await emptyDatabase()
  await using proxy = await startTcpProxy(database.dsn)
  await using client = openPgClient({ dsn: proxy.dsn, ...patient })
  await client.query('CREATE TABLE t AS SELECT 1 AS n')
  const change = (send: PgClient['query']) => send('UPDATE t SET n = n + $1', [1])
  let whole = 0
  await client.transaction(async (send) => {
    proxy.count()
    await change(send)
    whole = proxy.passed.request
  })
  const silent = client.transaction(
    async (send) => {
      // All but the word that ends it: the server has done the work and waits for more.
      proxy.cutAt({ side: 'request', bytes: whole - 5, how: 'silent' })
      await change(send)
    },
    { timeoutMs: 1500 },
  )
  await expect(silent).rejects.toMatchObject({ code: 'unavailable' })
  await database.client.query('UPDATE t SET n = n + 10', [], { timeoutMs: 20_000 })
  expect((await database.client.query('SELECT n FROM t')).rows).toEqual([{ n: 12 }])
})

test('a session is bounded where the server can do that, and where it is ours', async () => {
  await using database = await emptyDatabase()
  expect((await database.client.query('SHOW transaction_timeout')).rows).toEqual([{ transaction_timeout: '2min' }])
})

test('a session plans each statement once, whatever the values', async () => {
  await using database = await emptyDatabase()
  const named = { name: 'plan' }
  for (let n = 0; n < 3; n += 1) await database.client.query('SELECT $1::integer', [n], named)
  const { rows } = await database.client.query(`SELECT generic_plans::integer AS once, custom_plans::integer AS anew
    FROM pg_prepared_statements WHERE name = 'plan'`)
  expect(rows).toEqual([{ once: 3, anew: 0 }])
})

test('[C-ALL-12] closing leaves no socket behind, also of those that the pool gave up before', async () => {
  await using database = await emptyDatabase()
  const sockets = createSockets()
  const socket = sockets.stream()
  socket.connect(Number(new URL(database.dsn).port), '127.0.0.1')
  await once(socket, 'connect')
  await sockets.close(Promise.resolve(), 60_000)
  expect(socket.destroyed).toBe(true)
})

test('[C-ALL-2] a refused value costs no connection', async () => {
  await using database = await emptyDatabase()
  const { client } = database
  await warmUp(client)
  await expect(client.query('SELECT 1/0')).rejects.toMatchObject({ code: 'invalid' })
  await client.query('SELECT 1')
  expect(client.pool.totalCount).toBe(many.length)
})

/** A proxy in a thread of its own: it ends its connections while this thread does nothing else than wait for that. */
const resettingProxy = `
  const { connect, createServer } = require('node:net')
  const { parentPort, workerData } = require('node:worker_threads')
  const pairs = []
  const server = createServer((near) => {
    const far = connect(workerData.port, '127.0.0.1')
    near.on('error', () => {}).pipe(far.on('error', () => {})).pipe(near)
    pairs.push(near)
  }).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
  parentPort.on('message', () => {
    for (const near of pairs.splice(0)) near.resetAndDestroy()
    setTimeout(() => {
      Atomics.store(workerData.done, 0, 1)
      Atomics.notify(workerData.done, 0)
    }, 50)
  })`

test('[C-ALL-2] what could not be handed over was not applied, and goes at once on another connection', async () => {
  await using database = await emptyDatabase()
  const done = new Int32Array(new SharedArrayBuffer(4))
  const port = Number(new URL(database.dsn).port)
  const worker = new Worker(resettingProxy, { eval: true, workerData: { port, done } })
  const proxied = new URL(database.dsn)
  proxied.port = String(await new Promise((resolve) => worker.once('message', resolve)))
  await using client = openPgClient({ dsn: proxied.href, ...patient })
  await client.query('CREATE TABLE t (n int)')
  await warmUp(client)
  worker.postMessage('reset')
  // Nothing that arrives is seen before the statements are sent.
  Atomics.wait(done, 0, 0)
  const calls = many.map((_, n) => client.query('INSERT INTO t VALUES ($1)', [n]))
  expect(await outcomes(calls)).toEqual(many.map(() => 'fulfilled'))
  expect((await client.query('SELECT n FROM t')).rows).toHaveLength(many.length)
  await worker.terminate()
})

test('[C-ALL-2] a transaction whose program went silent is ended by the server', async () => {
  await using database = await emptyDatabase()
  const { query, transaction } = database.client
  await query('CREATE TABLE t AS SELECT 1 AS n')
  let other: Promise<unknown> | undefined
  const silent = transaction(
    async (send) => {
      await send('UPDATE t SET n = n + 1')
      // Until the server has taken the lock back.
      other ??= query('UPDATE t SET n = n + 10', [], { timeoutMs: 20_000 })
      await other
    },
    { timeoutMs: 2000 },
  )
  await expect(silent).rejects.toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
  expect(await other).toMatchObject({ rowCount: 1 })
  expect((await query('SELECT n FROM t')).rows).toEqual([{ n: 11 }])
})
