import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { silentLogger } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { openPgClient } from '../src/client.ts'
import { migrate } from '../src/migrate.ts'
import { migration, migrations } from '../src/migrations.ts'
import { bundleProgram } from './bundle.ts'
import { type Database, emptyDatabase, migratedDatabase } from './database.ts'

const run = promisify(execFile)
const folder = new URL('../../../prisma/migrations/', import.meta.url)

const ledger = async ({ client }: Database): Promise<unknown[]> =>
  (await client.query('SELECT * FROM _prisma_migrations ORDER BY started_at')).rows

const tablesOf = async ({ client }: Database): Promise<unknown[]> =>
  (
    await client.query(
      `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
    )
  ).rows.map((row) => row['relname'])

const add = (name: string, sql: string) => [...migrations, migration(name, sql)]

test('every migration folder is carried, in order, with the bytes of its file', async () => {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  expect(migrations.map((each) => each.name)).toEqual(names.sort())
  for (const { name, sql } of migrations)
    expect(sql).toBe(await readFile(new URL(`${name}/migration.sql`, folder), 'utf8'))
})

describe('[C-PG-1] an empty database', () => {
  test('gets the five tables, and a ledger as Prisma keeps it', async () => {
    await using database = await migratedDatabase()
    expect(await tablesOf(database)).toEqual([
      '_prisma_migrations',
      'nexus_applied',
      'nexus_completions',
      'nexus_conflicts',
      'nexus_host_state',
      'nexus_identity',
      'nexus_inbox_queue',
      'nexus_moved',
      'nexus_quarantine',
      'nexus_task_files',
      'nexus_workflows',
    ])
    expect(await ledger(database)).toEqual(
      migrations.map(({ name, checksum }) => ({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        checksum,
        migration_name: name,
        started_at: expect.any(Date),
        finished_at: expect.any(Date),
        applied_steps_count: 1,
        logs: null,
        rolled_back_at: null,
      })),
    )
  })

  test('is migrated once by ten processes that open it at the same time', async () => {
    await using database = await emptyDatabase()
    const program = await bundleProgram('migrate')
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => run(process.execPath, [program, database.dsn]).then(({ stdout }) => stdout)),
    )
    expect(new Set(answers).size).toBe(10)
    for (const answer of answers) expect(answer).toMatch(/^ACK \d+\n$/)
    expect(await ledger(database)).toHaveLength(migrations.length)
  })
})

describe('[C-PG-1] a database that is up to date', () => {
  test('is opened without a lock, also while another session migrates', async () => {
    await using database = await migratedDatabase()
    await database.client.transaction(async (query) => {
      await query('SELECT pg_advisory_xact_lock(72707369)')
      await query('LOCK TABLE nexus_inbox_queue IN ACCESS EXCLUSIVE MODE')
      await migrate({ client: database.client, logger: silentLogger, patienceMs: 0 })
    })
  })
})

describe('[C-PG-1] a migration that cannot be applied', () => {
  test('leaves neither its effects nor a row in the ledger', async () => {
    await using database = await migratedDatabase()
    const broken = add('0002_broken', 'CREATE TABLE half (); SELECT 1 / 0;')
    await expect(migrate({ ...database, logger: silentLogger, migrations: broken })).rejects.toMatchObject({
      message: expect.stringContaining('division by zero'),
    })
    expect(await tablesOf(database)).not.toContain('half')
    expect(await ledger(database)).toHaveLength(migrations.length)
  })

  test('waits for whoever migrates, and says so in the end', async () => {
    await using database = await emptyDatabase()
    await database.client.transaction(async (query) => {
      await query('SELECT pg_advisory_xact_lock(72707369)')
      await expect(migrate({ ...database, logger: silentLogger, patienceMs: 200 })).rejects.toMatchObject({
        code: 'unavailable',
        outcome: 'not-applied',
      })
    })
    await migrate({ ...database, logger: silentLogger })
    expect(await ledger(database)).toHaveLength(migrations.length)
  })

  test('gives way to a session that holds a table, and goes on once it is free', async () => {
    await using database = await migratedDatabase()
    const more = add('0002_more', 'ALTER TABLE nexus_host_state ADD COLUMN extra text;')
    const patiently = { timeoutMs: 20_000 }
    await database.client.transaction(async (query) => {
      await query('SELECT FROM nexus_host_state')
      const refusal = migrate({ ...database, logger: silentLogger, migrations: more, patienceMs: 0 })
      await expect(refusal).rejects.toMatchObject({ code: 'unavailable' })
    }, patiently)
    await migrate({ ...database, logger: silentLogger, migrations: more })
    expect(await ledger(database)).toHaveLength(migrations.length + 1)
  })
})

describe('[C-PG-1] a database that this version did not make is refused', () => {
  const refused = (message: RegExp) => ({ code: 'unsupported', message: expect.stringMatching(message) })

  test('a newer one', async () => {
    await using database = await emptyDatabase()
    await migrate({ ...database, logger: silentLogger, migrations: add('0002_future', 'CREATE TABLE future ();') })
    await expect(migrate({ ...database, logger: silentLogger })).rejects.toMatchObject(refused(/newer.*0002_future/))
  })

  test('one with other SQL under a known name', async () => {
    await using database = await emptyDatabase()
    await migrate({ ...database, logger: silentLogger, migrations: add('0002_other', 'CREATE TABLE one ();') })
    const other = add('0002_other', 'CREATE TABLE other ();')
    await expect(migrate({ ...database, logger: silentLogger, migrations: other })).rejects.toMatchObject(
      refused(/Other SQL.*0002_other/),
    )
  })

  test('one with a migration that began and did not finish', async () => {
    await using database = await migratedDatabase()
    await database.client.query('UPDATE _prisma_migrations SET finished_at = NULL')
    await expect(migrate({ ...database, logger: silentLogger })).rejects.toMatchObject(
      refused(/did not finish: 0001_init/),
    )
  })
})

describe('[C-PG-1] a role that may not', () => {
  const asRole = async (database: Database, name: string) => {
    await database.client.query(`CREATE ROLE ${name} LOGIN PASSWORD 'secret-canary'`)
    const url = new URL(database.dsn)
    url.username = name
    url.password = 'secret-canary'
    const client = openPgClient({ dsn: url.href, logger: silentLogger })
    return {
      client,
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]()
        await database.client.query(`DROP OWNED BY ${name}`)
        await database.client.query(`DROP ROLE ${name}`)
      },
    }
  }
  const fresh = (): string => `limited_${crypto.randomUUID().replaceAll('-', '')}`

  test('create is told the statement that lets it', async () => {
    await using database = await emptyDatabase()
    const name = fresh()
    await using limited = await asRole(database, name)
    const statement = `GRANT CREATE ON SCHEMA public TO ${name};`
    await expect(migrate({ ...limited, logger: silentLogger })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(statement),
    })
    await database.client.query(statement)
    await migrate({ ...limited, logger: silentLogger })
    expect(await ledger(database)).toHaveLength(migrations.length)
  })

  test('alter is told the statement that lets it', async () => {
    await using database = await emptyDatabase()
    await database.client.query(
      'CREATE TABLE nexus_host_state (key text PRIMARY KEY, data text NOT NULL, updated_at timestamptz NOT NULL)',
    )
    const name = fresh()
    await using limited = await asRole(database, name)
    await database.client.query(`GRANT CREATE ON SCHEMA public TO ${name}`)
    const statement = `ALTER TABLE nexus_host_state OWNER TO ${name};`
    await expect(migrate({ ...limited, logger: silentLogger })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(statement),
    })
    await database.client.query(statement)
    await migrate({ ...limited, logger: silentLogger })
  })
})
