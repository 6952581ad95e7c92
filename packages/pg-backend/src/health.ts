import type { Clock, Health } from '@nexus/core'
import pg from 'pg'
import { sqlStateOf, toStoreError } from './pg-errors.ts'

/** What a server that serves answers in; one that does not is down. Milliseconds. */
const patienceMs = 1000

export interface HealthTools {
  dsn: string
  clock: Clock
  isClosed(): boolean
}

/** On a connection of its own: all of the pool being busy is not an outage. */
const ask = async (dsn: string): Promise<string | null> => {
  const client = new pg.Client({
    connectionString: dsn,
    application_name: 'nexus-health',
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby')
    return rows[0]?.standby ? 'PostgreSQL is a standby: it cannot be written to' : null
  } finally {
    client.end().catch(() => {})
  }
}

const reasonOf = (error: unknown): string | null => {
  // It has no connection left for us, and so it answers those it has.
  if (sqlStateOf(error) === '53300') return null
  const met = toStoreError(error)
  return met instanceof Error ? met.message : String(met)
}

const withinPatience = (answer: Promise<string | null>): Promise<string | null> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => resolve(`PostgreSQL did not answer within ${patienceMs} ms`), patienceMs)
    answer.then(resolve, reject).finally(() => clearTimeout(late))
  })

/** Asks now, and remembers since when it is down. Never throws. */
export const createHealth = ({ dsn, clock, isClosed }: HealthTools): (() => Promise<Health>) => {
  let downSince: number | null = null
  return async () => {
    const reason = isClosed() ? 'closed' : await withinPatience(ask(dsn)).catch(reasonOf)
    if (reason === null) {
      downSince = null
      return { status: 'ok' }
    }
    downSince ??= clock.now()
    return { status: 'down', reason, since: downSince }
  }
}
