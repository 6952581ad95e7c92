import { silentLogger } from '@nexus/core'
import { expect, test } from 'vitest'
import { migrate } from '../src/migrate.ts'
import { type Database, emptyDatabase } from './database.ts'
import { earlierTables } from './earlier.ts'

const rest = `
  CREATE TABLE nexus_inbox_queue (id serial PRIMARY KEY, project_key varchar(64) NOT NULL, workspace text NOT NULL,
    filename varchar(256) NOT NULL, markdown_content text NOT NULL, status varchar(16) NOT NULL);
  CREATE TABLE somebody_elses (n int);
  INSERT INTO nexus_workflows VALUES ('p-1-full', 'running', 'def', 2, '{"name":"One"}', 'epoch', 'epoch');
  INSERT INTO nexus_completions VALUES (5, '1', 'triage', 'complete', 's', '{}', '1:wf:2:triage', 'epoch');
  INSERT INTO nexus_host_state VALUES ('launched_agents', '[1]', 'epoch');
  INSERT INTO nexus_task_files VALUES (7, 'p', NULL, 'a.md', '# A', 'active', 'epoch', 'epoch');
  INSERT INTO nexus_inbox_queue VALUES (9, 'p', '/w', 'a.md', '# A', 'processing');
`
const tables = ['workflows', 'completions', 'host_state', 'task_files', 'inbox_queue'].map((name) => `nexus_${name}`)

const columns = `SELECT table_name, column_name, data_type, character_maximum_length, is_nullable
  FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`

const rowsOf = async ({ client }: Database, table: string) => (await client.query(`SELECT * FROM ${table}`)).rows

test('tables of the earlier implementation keep every row, column and type, and get what is missing', async () => {
  await using database = await emptyDatabase()
  const { client } = database
  await client.query(earlierTables + rest)
  const before = (await client.query(columns)).rows
  const rows = await Promise.all(tables.map((table) => rowsOf(database, table)))

  await migrate({ client, logger: silentLogger })

  expect((await client.query(columns)).rows).toEqual(expect.arrayContaining(before))
  for (const [index, table] of tables.entries())
    expect(await rowsOf(database, table)).toEqual(rows[index]?.map((row) => expect.objectContaining(row)))
  expect(await rowsOf(database, 'nexus_workflows')).toMatchObject([{ name: null, project: null }])
  expect(await rowsOf(database, 'nexus_completions')).toMatchObject([{ seq: null, report_id: null }])
  expect(await rowsOf(database, 'nexus_inbox_queue')).toMatchObject([{ claim_epoch: 0, lease_expires_at: null }])
})

test('a program that gives no times can write to them afterwards', async () => {
  await using database = await emptyDatabase()
  const { client } = database
  await client.query(earlierTables)
  await migrate({ client, logger: silentLogger })
  await client.query(
    `INSERT INTO nexus_workflows (id, name, state, current_step, data) VALUES ('a', 'A', 'pending', 0, '{}')`,
  )
  await client.query(`INSERT INTO nexus_host_state (key, data) VALUES ('k', '1')`)
  await client.query(
    `INSERT INTO nexus_task_files (project, filename, content, state) VALUES ('p', 'a.md', '', 'active')`,
  )
  await client.query(`INSERT INTO nexus_completions (issue_number, agent_type, status, summary_text, data, dedup_key)
    VALUES ('1', 'a', 'complete', '', '{}', '1:a:complete')`)
  const unique = `SELECT FROM pg_index WHERE indrelid = 'nexus_completions'::regclass AND indisunique AND NOT indisprimary
    AND indpred IS NULL`
  expect((await client.query(unique)).rowCount).toBe(1)
})

test('where the ledger was lost, applying everything once more changes nothing', async () => {
  await using database = await emptyDatabase()
  const { client } = database
  await migrate({ client, logger: silentLogger })
  await client.query(`INSERT INTO nexus_host_state (key, data) VALUES ('k', '1')`)
  const before = (await client.query(columns)).rows
  await client.query('DELETE FROM _prisma_migrations')
  await migrate({ client, logger: silentLogger })
  expect((await client.query(columns)).rows).toEqual(before)
  expect(await rowsOf(database, 'nexus_host_state')).toMatchObject([{ key: 'k', data: '1' }])
})
