import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, StoreError } from '@nexus/core'
import type { PgClient } from './client.ts'
import { type Migration, migrations as ours } from './migrations.ts'
import { sqlStateOf } from './pg-errors.ts'
import type { Query } from './session.ts'

export interface MigrateOptions {
  client: PgClient
  logger: Logger
  migrations?: readonly Migration[]
  /** How long to wait for another process that migrates, or for whoever holds the tables. One minute unless given. */
  patienceMs?: number
}

type LedgerRow = { migration_name: string; checksum: string; finished: boolean }

/** Prisma's own, so that its command line and we never migrate at the same time. */
const advisoryLock = 72707369

/** As Prisma creates it. */
const createLedger = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id varchar(36) PRIMARY KEY NOT NULL,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`

const readLedger = `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished
  FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`

const tables = [
  '_prisma_migrations',
  'nexus_workflows',
  'nexus_completions',
  'nexus_host_state',
  'nexus_task_files',
  'nexus_inbox_queue',
  'nexus_quarantine',
]

/** `CREATE OR REPLACE TRIGGER` came with it. */
const oldestServer = 140_000

const refuse = (message: string): never => {
  throw new StoreError({ code: 'unsupported', message })
}

const list = (names: readonly string[]): string => names.join(', ')

/** What is still to be applied; refuses a database that is not what this version can have made. */
const pendingOf = (migrations: readonly Migration[], ledger: LedgerRow[]): Migration[] => {
  const known = new Map(migrations.map((each) => [each.name, each]))
  const unfinished = ledger.filter((row) => !row.finished).map((row) => row.migration_name)
  if (unfinished.length > 0)
    refuse(
      `A migration of the database began and did not finish: ${list(unfinished)}. Repair it with the tool that ran it.`,
    )
  const newer = ledger.filter((row) => !known.has(row.migration_name)).map((row) => row.migration_name)
  if (newer.length > 0)
    refuse(
      `The database is newer than this program: it has ${list(newer)}, which is not known here. Install a newer version.`,
    )
  const altered = ledger.filter((row) => known.get(row.migration_name)?.checksum !== row.checksum)
  if (altered.length > 0)
    refuse(
      `Other SQL was applied under the name ${list(altered.map((row) => row.migration_name))} than this program has.`,
    )
  const applied = new Set(ledger.map((row) => row.migration_name))
  return migrations.filter((each) => !applied.has(each.name))
}

const ledgerOf = async (query: Query): Promise<LedgerRow[]> => (await query<LedgerRow>(readLedger)).rows

type Role = { role: string; schema: string | null; may_create: boolean | null; version: number }

const tablesOfOthers = `SELECT c.oid::regclass::text AS name FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($1)
    AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1`

/** Says before the first statement what the role lacks, and the statement that grants it. */
const checkRole = async (query: Query): Promise<void> => {
  const [found] = (
    await query<Role>(
      `SELECT quote_ident(current_user) AS role, quote_ident(current_schema()) AS schema,
         has_schema_privilege(current_schema(), 'CREATE') AS may_create,
         current_setting('server_version_num')::integer AS version`,
    )
  ).rows
  if (!found) return
  const { role, schema, may_create, version } = found
  if (version < oldestServer)
    refuse(`The server is PostgreSQL ${Math.floor(version / 10_000)}; 14 is the oldest that serves.`)
  if (schema === null) refuse(`The role ${role} has no schema to work in. Run: CREATE SCHEMA AUTHORIZATION ${role};`)
  const grants = may_create ? [] : [`GRANT CREATE ON SCHEMA ${schema} TO ${role};`]
  const foreign = await query<{ name: string }>(tablesOfOthers, [tables])
  const owns = foreign.rows.map(({ name }) => `ALTER TABLE ${name} OWNER TO ${role};`)
  const statements = [...grants, ...owns]
  if (statements.length > 0)
    refuse(`The role ${role} may not create or change the tables. Run as their owner: ${statements.join(' ')}`)
}

/** Applies one migration. It and its row in the ledger are one transaction: a crash leaves both or neither. */
const applyNext = (client: PgClient, migrations: readonly Migration[]): Promise<Migration | undefined | 'busy'> =>
  client.transaction(
    async (query) => {
      const lock = await query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS locked', [advisoryLock])
      if (!lock.rows[0]?.locked) return 'busy' as const
      await checkRole(query)
      await query(createLedger)
      const next = pendingOf(migrations, await ledgerOf(query))[0]
      if (!next) return undefined
      // A statement that waits for a table makes everybody after it wait too.
      await query(`SET LOCAL lock_timeout = '3s'`)
      const started = new Date()
      await query(next.sql)
      await query(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
         VALUES ($1, $2, $3, $4, clock_timestamp(), 1)`,
        [randomUUID(), next.checksum, next.name, started],
      )
      return next
    },
    { timeoutMs: 600_000 },
  )

/** Without a lock: the usual case is that there is nothing to do. */
const isCurrent = async (client: PgClient, migrations: readonly Migration[]): Promise<boolean> => {
  try {
    return pendingOf(migrations, await ledgerOf(client.query)).length === 0
  } catch (error) {
    if (sqlStateOf(error) === '42P01') return false
    throw error
  }
}

/** Brings the tables to this version, whoever else is doing the same. Does nothing where they are. */
export const migrate = async (options: MigrateOptions): Promise<void> => {
  const { client, logger, migrations = ours, patienceMs = 60_000 } = options
  if (await isCurrent(client, migrations)) return
  const deadline = performance.now() + patienceMs
  for (;;) {
    const applied = await applyNext(client, migrations).catch((error: unknown) => {
      if (sqlStateOf(error) === '55P03') return 'busy' as const
      throw error
    })
    if (applied === undefined) return
    if (applied !== 'busy') {
      logger.info('Applied a migration', { migration: applied.name })
    } else if (performance.now() > deadline) {
      throw new StoreError({
        code: 'unavailable',
        message: 'Another session holds the tables; they could not be migrated.',
      })
    } else if (!(await isCurrent(client, migrations))) {
      await delay(50)
    }
  }
}
