import { type Clock, type Health, type Moved, movedHealth, type StoreName } from '@nexus/core'
import pg from 'pg'
import type { Marks } from './moved.ts'
import { sqlStateOf, toStoreError } from './pg-errors.ts'
import { listMoved, type MovedRow } from './statements/moved.ts'

/** What a server that serves answers in; one that does not is down. Milliseconds. */
const patienceMs = 1000

export interface HealthTools {
  dsn: string
  clock: Clock
  marks: Pick<Marks, 'note'>
  isClosed(): boolean
}

/** Why it is down, where the store went, or null where all is well. */
type Answer = string | Moved | null

/** On a connection of its own: all of the pool being busy is not an outage. */
const ask = async ({ dsn, marks }: Pick<HealthTools, 'dsn' | 'marks'>, store: StoreName): Promise<Answer> => {
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
    if (rows[0]?.standby) return 'PostgreSQL is a standby: it cannot be written to'
    const moved = marks.note((await client.query<MovedRow>(listMoved.text)).rows)
    return moved.find((mark) => mark.store === store) ?? null
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

const withinPatience = (answer: Promise<Answer>): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => resolve(`PostgreSQL did not answer within ${patienceMs} ms`), patienceMs)
    answer.then(resolve, reject).finally(() => clearTimeout(late))
  })

/** Asks now, and remembers since when it is down. Never throws. */
export const createHealth = ({ clock, isClosed, ...tools }: HealthTools): ((store: StoreName) => Promise<Health>) => {
  let downSince: number | null = null
  return async (store) => {
    const answer = isClosed() ? 'closed' : await withinPatience(ask(tools, store)).catch(reasonOf)
    if (typeof answer === 'string') {
      downSince ??= clock.now()
      return { status: 'down', reason: answer, since: downSince }
    }
    downSince = null
    return answer === null ? { status: 'ok' } : movedHealth(answer)
  }
}
