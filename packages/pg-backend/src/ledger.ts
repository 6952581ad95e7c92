import { randomUUID } from 'node:crypto'
import type { Migration } from './migrations.ts'
import { refuse } from './refuse.ts'
import type { Query } from './session.ts'

type LedgerRow = { migration_name: string; checksum: string; finished: boolean }

/** As Prisma creates it. */
export const createLedger = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
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

const list = (names: readonly string[]): string => names.join(', ')

/** What is still to be applied; refuses a database that is not what this version can have made. */
export const pendingOf = (migrations: readonly Migration[], ledger: LedgerRow[]): Migration[] => {
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

export const ledgerOf = async (query: Query): Promise<LedgerRow[]> => (await query<LedgerRow>(readLedger)).rows

/** Applies one migration and records it, within the caller's transaction. */
export const applyMigration = async (query: Query, { name, sql, checksum }: Migration): Promise<void> => {
  const started = new Date()
  await query(sql)
  await query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, $4, clock_timestamp(), 1)`,
    [randomUUID(), checksum, name, started],
  )
}
