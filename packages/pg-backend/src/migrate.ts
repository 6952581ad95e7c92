import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, StoreError } from '@nexus/core'
import type { PgClient } from './client.ts'
import { applyMigration, createLedger, ledgerOf, pendingOf } from './ledger.ts'
import { type Migration, migrations as ours } from './migrations.ts'
import { refuseOtherInbox } from './other-inbox.ts'
import { sqlStateOf } from './pg-errors.ts'
import { checkRole } from './role.ts'
import type { Query } from './session.ts'

export interface MigrateOptions {
  client: PgClient
  logger: Logger
  migrations?: readonly Migration[]
  /** How long to wait for another process that migrates, or for whoever holds the tables. One minute unless given. */
  patienceMs?: number
}

/** Prisma's own, so that its command line and we never migrate at the same time. */
const advisoryLock = 72707369

/**
 * One transaction that nobody else who migrates runs beside it: a crash leaves all of it or nothing. Waits its turn, and gives
 * way to sessions that hold a table.
 */
export const inTurn = async <T>(
  { client, patienceMs = 60_000 }: Pick<MigrateOptions, 'client' | 'patienceMs'>,
  work: (query: Query) => Promise<T>,
): Promise<T> => {
  const attempt = (): Promise<{ done: T } | 'busy'> =>
    client.transaction(
      async (query) => {
        const lock = await query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS locked', [advisoryLock])
        if (!lock.rows[0]?.locked) return 'busy' as const
        // A statement that waits for a table makes everybody after it wait too.
        await query(`SET LOCAL lock_timeout = '3s'`)
        return { done: await work(query) }
      },
      { timeoutMs: 600_000 },
    )
  const deadline = performance.now() + patienceMs
  for (;;) {
    const result = await attempt().catch((error: unknown) => {
      if (sqlStateOf(error) === '55P03') return 'busy' as const
      throw error
    })
    if (result !== 'busy') return result.done
    if (performance.now() > deadline)
      throw new StoreError({
        code: 'unavailable',
        message: 'Another session holds the tables; they could not be migrated.',
      })
    await delay(50)
  }
}

/** Applies the next migration that is not applied yet; it and its row in the ledger are one transaction. */
const applyNext = async (query: Query, migrations: readonly Migration[]): Promise<Migration | undefined> => {
  await refuseOtherInbox(query)
  await checkRole(query)
  await query(createLedger)
  const next = pendingOf(migrations, await ledgerOf(query))[0]
  if (next) await applyMigration(query, next)
  return next
}

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
  const { client, logger, migrations = ours } = options
  while (!(await isCurrent(client, migrations))) {
    const applied = await inTurn(options, (query) => applyNext(query, migrations))
    if (applied) logger.info('Applied a migration', { migration: applied.name })
  }
}
