import { silentLogger } from '@nexus/core'
import { expect, test } from 'vitest'
import { openPgClient } from '../src/client.ts'
import { createRunStatement, statement } from '../src/query.ts'
import { usePostgres } from './harness.ts'

const open = usePostgres()
const read = statement<{ key: string; data: string }>('SELECT key, data FROM nexus_host_state')

const oneConnection = (dsn: string) => openPgClient({ dsn, logger: silentLogger, maxConnections: 1 })

const preparedNames = async ({ query }: ReturnType<typeof oneConnection>): Promise<unknown[]> =>
  (await query('SELECT name FROM pg_prepared_statements ORDER BY prepare_time')).rows.map(({ name }) => name)

test('[C-PG-5] a statement is prepared once per connection, under a name made of its whole text', async () => {
  await using t = await open()
  await using client = oneConnection(t.dsn)
  const run = createRunStatement(client)
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
  const run = createRunStatement(client)
  await run(read, [])
  await client.query('DEALLOCATE ALL')
  expect(await run(read, [])).toEqual([{ key: 'a', data: '1' }])
  expect(await run(read, [])).toEqual([{ key: 'a', data: '1' }])
  expect(await preparedNames(client)).toEqual([])
})

test('[C-PG-5] another client’s statement of the same name makes the process go unnamed', async () => {
  await using t = await open()
  await using client = oneConnection(t.dsn)
  const run = createRunStatement(client)
  await client.query(`PREPARE "${read.name}_0" AS SELECT 1`)
  expect(await run(read, [])).toEqual([])
  expect(await preparedNames(client)).toEqual([])
})

test('[C-PG-5] a column that changed its type meanwhile is read all the same', async () => {
  await using t = await open()
  await t.foreign.insertHostState('a', '1')
  await using client = oneConnection(t.dsn)
  const run = createRunStatement(client)
  await run(read, [])
  await t.sql.query('ALTER TABLE nexus_host_state ALTER COLUMN data TYPE varchar')
  expect(await run(read, [])).toEqual([{ key: 'a', data: '1' }])
  expect(await preparedNames(client)).toEqual([`${read.name}_0`, `${read.name}_1`])
})
