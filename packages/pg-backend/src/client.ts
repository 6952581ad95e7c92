import type { Logger } from '@nexus/core'
import pg from 'pg'
import { checkDsn } from './dsn.ts'
import type { PrismaClient } from './generated/client.ts'
import { createSessions, type Sessions } from './session.ts'
import { createSockets, type Sockets } from './sockets.ts'

export interface PgClientOptions {
  dsn: string
  logger: Logger
  /** 10 unless given. */
  maxConnections?: number
  /**
   * What a call of one record may take, all of its statements and the waits for a connection included: 1900 ms unless
   * given. A look at the health, of at most a second, then still fits into three.
   */
  timeoutMs?: number
}

/** One pool, which plain SQL and Prisma share. Everything it throws about the database is a `StoreError`. */
export interface PgClient extends Sessions, AsyncDisposable {
  /** The typed client; loaded on first use. */
  prisma(): Promise<PrismaClient>
  readonly pool: pg.Pool
}

/** What an idle connection may take to be closed in order. */
const goodbyeMs = 500

const openPool = (options: PgClientOptions, timeoutMs: number, { stream }: Sockets): pg.Pool => {
  const { dsn, logger, maxConnections = 10 } = options
  const pool = new pg.Pool({
    connectionString: checkDsn(dsn),
    application_name: 'nexus',
    max: maxConnections,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    stream,
  })
  pool.on('error', (error) => logger.debug('An idle connection to PostgreSQL was lost', { reason: error.message }))
  pool.on('connect', onConnect)
  return pool
}

/**
 * A plan is made once for each statement and not for each of its first executions, and for as long as the server guesses that
 * knowing the values helps: there are few statements, and their plans are tested. And what a program that vanished in the
 * middle of a message keeps locked is bounded, beyond anything that a statement of ours takes. Servers before 17 know no such
 * limit, and through a pooler the session is not ours to set: see docs/operations.md.
 */
const prepareSession = `SELECT set_config('plan_cache_mode', 'force_generic_plan', false),
    (SELECT set_config('transaction_timeout', '120s', false) WHERE current_setting('transaction_timeout', true) IS NOT NULL)
  WHERE pg_backend_pid() = $1`

const onConnect = (client: pg.PoolClient & { processID?: number | null }): void => {
  // The pool listens on idle connections only; one that dies while in use would end the process.
  client.on('error', () => {})
  // Whoever takes the connection finds out for himself that it is lost.
  client.query(prepareSession, [client.processID ?? 0]).catch(() => {})
}

export const openPgClient = (options: PgClientOptions): PgClient => {
  const { timeoutMs = 1900 } = options
  const sockets = createSockets()
  const pool = openPool(options, timeoutMs, sockets)
  let prisma: Promise<PrismaClient> | undefined
  let closing: Promise<void> | undefined

  const loadPrisma = async (): Promise<PrismaClient> => {
    const [{ PrismaPg }, generated] = await Promise.all([import('@prisma/adapter-pg'), import('./generated/client.ts')])
    return new generated.PrismaClient({ adapter: new PrismaPg(pool) })
  }

  const close = async (): Promise<void> => {
    const loaded = await prisma?.catch(() => undefined)
    await loaded?.$disconnect()
    const isBusy = pool.totalCount > pool.idleCount
    await sockets.close(pool.end(), isBusy ? timeoutMs : goodbyeMs)
  }

  return {
    ...createSessions(pool, timeoutMs),
    prisma() {
      prisma ??= loadPrisma()
      return prisma
    },
    pool,
    [Symbol.asyncDispose]() {
      closing ??= close()
      return closing
    },
  }
}
