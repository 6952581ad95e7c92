import { silentLogger } from '@nexus/core'
import { expect, test } from 'vitest'
import { openPgClient } from '../src/client.ts'
import { createRunStatement, statement } from '../src/query.ts'
import { usePostgres } from './harness.ts'

const open = usePostgres()
const read = statement<{ key: string; data: string }>('SELECT key, data FROM nexus_host_state')

/** No statement takes any time. */
const still = { monotonic: () => 0 }

const oneConnection = (dsn: string) => openPgClient({ dsn, logger: silentLogger, maxConnections: 1 })

const preparedNames = async ({ query }: ReturnType<typeof oneConnection>): Promise<unknown[]> =>
  (await query('SELECT name FROM pg_prepared_statements ORDER BY prepare_time')).rows.map(({ name }) => name)

test('[C-PG-5] a statement is prepared once per connection, under a name made of its whole text', async () => {
  await using t = await open()
  await using client = oneConnection(t.dsn)
  const run = createRunStatement(client, still)
  const other = statement(`${read.text} WHERE key = 'x'`)
  await run(read, [])
  await run(read, [])
  await run(other, [])
  expect(await preparedNames(client)).toEqual([`${read.name}_0`, `${other.name}_0`])
  expect(read.name).not.toBe(other.name)
})

test('[C-PG-5] a connection that lost its statements, as behind a pooler, makes the process go unnamed', async () => {
  await using t = await open()
  await t.foreign.insertHostState('a', '1')
  await using client = oneConnection(t.dsn)
  const run = createRunStatement(client, still)
  await run(read, [])
  await client.query('DEALLOCATE ALL')
  expect(await run(read, [])).toEqual([{ key: 'a', data: '1' }])
  expect(await run(read, [])).toEqual([{ key: 'a', data: '1' }])
  expect(await preparedNames(client)).toEqual([])
})

test('[C-PG-5] another client’s statement of the same name makes the process go unnamed', async () => {
  await using t = await open()
  await using client = oneConnection(t.dsn)
  const run = createRunStatement(client, still)
  await client.query(`PREPARE "${read.name}_0" AS SELECT 1`)
  expect(await run(read, [])).toEqual([])
  expect(await preparedNames(client)).toEqual([])
})

test('[C-PG-5] a column that changed its type meanwhile is read all the same', async () => {
  await using t = await open()
  await t.foreign.insertHostState('a', '1')
  await using client = oneConnection(t.dsn)
  const run = createRunStatement(client, still)
  await run(read, [])
  await t.sql.query('ALTER TABLE nexus_host_state ALTER COLUMN data TYPE varchar')
  expect(await run(read, [])).toEqual([{ key: 'a', data: '1' }])
  expect(await preparedNames(client)).toEqual([`${read.name}_0`, `${read.name}_1`])
})

test('a statement that takes long is planned anew, and one that is slow all the same ever more seldom', async () => {
  await using t = await open()
  await using client = oneConnection(t.dsn)
  let [now, tookMs] = [0, 0]
  const slow: typeof client.query = async (...given) => {
    now += tookMs
    return client.query(...given)
  }
  const run = createRunStatement({ query: slow }, { monotonic: () => now })
  const take = async (ms: number): Promise<void> => {
    tookMs = ms
    await run(read, [])
  }
  await take(99)
  for (let n = 0; n < 100; n += 1) await take(100)
  const names = [0, 1, 2, 3, 4].map((generation) => `${read.name}_${generation}`)
  expect(await preparedNames(client)).toEqual(names)
})
