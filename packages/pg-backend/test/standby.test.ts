import { createFakes } from '@nexus/testkit'
import { type Cluster, startCluster } from '@nexus/testkit/postgres'
import pg from 'pg'
import { expect, test } from 'vitest'
import { openPgBackend } from '../src/index.ts'
import { emptyDatabase } from './database.ts'
import { present } from './samples.ts'

/** Its own commits wait for nobody. */
const openOperator = async ({ dsn }: Cluster) => {
  const client = new pg.Client({ connectionString: dsn })
  await client.connect()
  await client.query('SET synchronous_commit = local')
  const setStandby = async (name: string) => {
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`)
    await client.query('SELECT pg_reload_conf()')
  }
  /** The session whose commit waits for a standby. */
  const waiting = async (): Promise<number | undefined> =>
    (await client.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)).rows[0]?.pid
  return {
    setStandby,
    waiting,
    cancel: (pid: number) => client.query('SELECT pg_cancel_backend($1)', [pid]),
    [Symbol.asyncDispose]: () => client.end(),
  }
}

test('[C-ALL-1] [C-ROUTE-10] a commit whose wait for its standby is cut off is no acknowledgement, and sent again it waits', async () => {
  await using cluster = await startCluster()
  await using backend = await openPgBackend({ dsn: cluster.dsn, timeoutMs: 20_000, ...createFakes().context })
  const operations = present(backend.operations)
  await using operator = await openOperator(cluster)
  await operator.setStandby('nobody')
  // The server takes the setting in when it comes to it.
  const untilAsked = async (n: number): Promise<{ n: number; saving: Promise<unknown>; pid: number }> => {
    const saving = operations.saveState(`o${n}`, 'agents', { n })
    let isDone = false
    saving.then(
      () => {
        isDone = true
      },
      () => {},
    )
    let pid: number | undefined
    while (pid === undefined && !isDone) pid = await operator.waiting()
    return pid === undefined ? untilAsked(n + 1) : { n, saving, pid }
  }
  const { n, saving, pid } = await untilAsked(1)
  await operator.cancel(pid)
  await expect(saving).rejects.toMatchObject({ code: 'unavailable', outcome: 'unknown' })
  expect((await backend.hostState.load('agents'))?.value).toEqual({ n })
  const again = operations.saveState(`o${n}`, 'agents', { n })
  while ((await operator.waiting()) === undefined);
  await operator.setStandby('')
  expect(await again).toMatchObject({ status: 'saved' })
})

test('[C-ALL-1] of warnings only that of an unconfirmed commit takes an answer back, in a transaction too', async () => {
  await using database = await emptyDatabase({ maxConnections: 1 })
  const { client } = database
  const warn = (words: string) => `DO $$ BEGIN RAISE WARNING '${words}'; END $$`
  const unconfirmed = warn('canceling wait for synchronous replication due to user request')
  const expected = { code: 'unavailable', outcome: 'unknown' }
  await client.query('CREATE TABLE t AS SELECT 1 AS n')
  await client.query(warn('something else'))
  await expect(client.query(unconfirmed)).rejects.toMatchObject(expected)
  const adding = client.transaction(async (send) => {
    await send('UPDATE t SET n = n + 1')
    await send(unconfirmed)
  })
  await expect(adding).rejects.toMatchObject(expected)
  expect((await client.query('SELECT n FROM t')).rows).toEqual([{ n: 2 }])
})
