import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type ExistingDatabase, existingDatabases, fillDatabase, rowDigests } from '@nexus/testkit/existing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { InboxList } from '../src/act/inbox.ts'
import { Adopted } from '../src/adopt/command.ts'
import { AuditList } from '../src/audit/commands.ts'
import { type Ground, grounds, jsonOf } from './admin.ts'

const query = async <T>({ env }: Ground, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: env['NEXUS_STORAGE_DSN'] })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const fill = (ground: Ground, database: ExistingDatabase): Promise<unknown> =>
  query(ground, (client) => fillDatabase((text, values) => client.query(text, values), database))

const idsAndStatus = async ({ admin }: Ground): Promise<[string, string][]> =>
  jsonOf(InboxList, await admin(['inbox', 'ls', '--json'])).tasks.map(({ id, status }) => [id, status])

test('a database with the inbox of an earlier program is reported, then taken over in place', async () => {
  await using ground = await grounds.postgres()
  const { admin } = ground
  await fill(ground, existingDatabases.otherInbox)
  expect((await admin(['inbox', 'ls'])).stderr).toContain('nexus-admin adopt')
  for (const args of [[], ['--dry-run', '--yes']]) {
    const planned = await admin(['adopt', ...args, '--json'])
    expect(jsonOf(Adopted, planned)).toMatchObject({ status: 'planned', database: { inbox: 'earlier' } })
  }
  expect((await admin(['inbox', 'ls'])).status).toBe(1)
  expect(existsSync(join(ground.folder, '.nexus/.audit'))).toBe(false)
  const folders = await admin(['adopt', ground.folder, '--yes'])
  expect(folders).toMatchObject({ status: 2, stdout: '' })
  expect(folders.stderr).toMatch(/^The database has to be taken over first: nexus-admin adopt --yes\./)

  const adopted = await admin(['adopt', '--yes', '--json'])
  expect(jsonOf(Adopted, adopted)).toEqual({
    version: 1,
    status: 'adopted',
    database: { tables: 'current', pending: [], inbox: 'ours', problem: null },
    merged: null,
  })
  expect(await idsAndStatus(ground)).toEqual([
    ['7', 'failed'],
    ['6', 'done'],
    ['5', 'processing'],
    ['4', 'pending'],
    ['3', 'pending'],
  ])
  const again = await admin(['adopt', '--yes'])
  expect(again.status).toBe(0)
  expect(again.stdout).toMatch(
    /^The tables are current\. .*\nThere is nothing to take over, and nothing was changed\.\n$/,
  )
  const { changes } = jsonOf(AuditList, await admin(['audit', '--json']))
  expect(changes.map(({ command, what, result }) => [command, what, result])).toEqual([
    ['adopt', ['database'], { status: 'adopted' }],
  ])
})

test('tables of older columns are reported with what is missing, and their rows stay as they are', async () => {
  await using ground = await grounds.postgres()
  const { documented } = existingDatabases
  await fill(ground, documented)
  const tables = ['nexus_workflows', 'nexus_completions', 'nexus_host_state', 'nexus_task_files', 'nexus_inbox_queue']
  const digests = () =>
    query(ground, async (client) => {
      const found = new Map<string, Map<string, string>>()
      for (const table of tables)
        found.set(table, await rowDigests((text, values) => client.query(text, values), table))
      return found
    })
  const before = await digests()
  const { database } = jsonOf(Adopted, await ground.admin(['adopt', '--json']))
  expect(database).toEqual({ tables: 'absent', pending: [], inbox: 'ours', problem: null })
  expect((await ground.admin(['adopt'])).stdout).toMatch(
    /^No migration of ours was applied here yet: .*\nNothing was changed/,
  )
  expect(await digests()).toEqual(before)
  const adopted = jsonOf(Adopted, await ground.admin(['adopt', '--yes', '--json']))
  expect(adopted.database).toEqual({ tables: 'current', pending: [], inbox: 'ours', problem: null })
  expect(await digests()).toEqual(before)
  expect(await idsAndStatus(ground)).toEqual([
    ['7', 'pending'],
    ['6', 'pending'],
    ['5', 'processing'],
    ['2', 'done'],
  ])
})

test('a database that cannot be taken over is said so, and ends with 1', async () => {
  await using ground = await grounds.postgres()
  expect((await ground.admin(['adopt', '--yes'])).status).toBe(0)
  await query(ground, (client) => client.query("UPDATE _prisma_migrations SET checksum = repeat('0', 64)"))
  for (const args of [[], ['--yes']]) {
    const refused = await ground.admin(['adopt', ...args, '--json'])
    expect(refused.status).toBe(1)
    expect(jsonOf(Adopted, refused)).toMatchObject({ status: 'refused', database: { tables: 'refused' } })
  }
  const shown = await ground.admin(['adopt', '--yes'])
  expect(shown.stdout).toMatch(/\nIt cannot be taken over as it is, and nothing was changed\.\n$/)
})

test('without a database there is nothing to take over, and one that cannot be reached is said', async () => {
  await using ground = await grounds.files()
  const none = await ground.admin(['adopt', '--yes'])
  expect(none).toMatchObject({ status: 78, stdout: '' })
  expect(none.stderr).toMatch(/^NEXUS_STORAGE_DSN is not set: adopt takes over a database, or the \.nexus folders/)
  const down = await ground.admin(['adopt', '--yes'], {
    env: { NEXUS_STORAGE_DSN: 'postgresql://nexus:hidden@127.0.0.1:1/nexus' },
  })
  expect(down).toMatchObject({ status: 69, stdout: '' })
  expect(down.stderr).not.toContain('hidden')
})
