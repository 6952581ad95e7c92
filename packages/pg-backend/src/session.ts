import type pg from 'pg'
import { type Budget, startBudget } from './budget.ts'
import { abortable, createConnections, isSpent, type Limits } from './connections.ts'
import { meaningOf, toStoreError } from './pg-errors.ts'

export interface QueryOptions {
  signal?: AbortSignal | undefined
  /** For bulk and schema work, in place of the default. */
  timeoutMs?: number | undefined
  /** Of a call that makes several statements; else each has one of its own. */
  budget?: Budget | undefined
  /** Prepares the statement under this name, once per connection. */
  name?: string | undefined
  /** Of a transaction: what holds for all of it, sent with its begin. */
  setting?: string | undefined
}

export type Row = Record<string, unknown>

interface Result<R extends Row> {
  rows: R[]
  rowCount: number
}

export type Query = <R extends Row = Row>(
  text: string,
  values?: unknown[],
  options?: QueryOptions,
) => Promise<Result<R>>

export interface Sessions {
  /** One statement, repeated where it was certainly not applied and the reason is over. */
  query: Query
  /** All or nothing at READ COMMITTED. The body runs again where nothing was applied and the reason is over. */
  transaction<T>(body: (query: Query) => Promise<T>, options?: QueryOptions): Promise<T>
  /** Starts now; of the default length unless given. */
  budget(timeoutMs?: number): Budget
}

const mostTries = 5

const queryOn =
  (client: pg.PoolClient, { budget, signal }: Limits): Query =>
  async <R extends Row>(text: string, values: unknown[] = [], { name }: Pick<QueryOptions, 'name'> = {}) => {
    // In whole milliseconds timers of one length share a list.
    const config = { text, values, ...(name !== undefined && { name }), query_timeout: Math.ceil(budget.left()) }
    const { rows, rowCount } = await abortable(client.query<R>(config), signal)
    return { rows, rowCount: rowCount ?? 0 }
  }

type Notice = Record<'code' | 'routine' | 'message', string | undefined>

/**
 * A commit whose wait for the standby was cut off says so in a warning, and then that it is done. The words are for
 * servers in English, the routine for all others.
 */
const isUnreplicated = ({ code, routine, message }: Notice): boolean =>
  routine === 'SyncRepWaitForLSN' || (code === '01000' && message?.includes('synchronous replication') === true)

/** Known to the table of errors. */
const unconfirmed = 'the commit was not confirmed by a standby'

/** Hears of such commits on every connection of the pool, each for whoever has it then. */
const watchCommits = (pool: pg.Pool) => {
  const doubtful = new WeakSet<pg.PoolClient>()
  pool.on('connect', (client) =>
    client.on('notice', (notice) => {
      if (isUnreplicated(notice)) doubtful.add(client)
    }),
  )
  return {
    begin: (client: pg.PoolClient): void => void doubtful.delete(client),
    check(client: pg.PoolClient): void {
      if (doubtful.has(client)) throw new Error(unconfirmed)
    },
  }
}

/**
 * The server ends a transaction whose program went silent in the middle: nobody else would ever have its locks. Silence in
 * the middle of a message is no idleness; only servers from 17 on have a limit for that. Its clock is set anew where the session's has begun.
 */
const beginFor = (ms: number): string =>
  `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${Math.ceil(ms)};
   SELECT set_config('transaction_timeout', '0', true), set_config('transaction_timeout', '${Math.ceil(ms)}', true)
    WHERE current_setting('transaction_timeout', true) IS NOT NULL`

interface Transacting extends Limits {
  setting?: string | undefined
}

const transact = async <T>(
  query: Query,
  { budget, setting = '' }: Transacting,
  body: (query: Query) => Promise<T>,
): Promise<T> => {
  await query(`${beginFor(budget.ms)}; ${setting}`)
  try {
    const result = await body(query)
    await query('COMMIT')
    return result
  } catch (error) {
    // A connection that cannot roll back is lost, and the server undoes the transaction with it.
    if (!isSpent(error)) await query('ROLLBACK')
    throw error
  }
}

/** Work on connections of the pool. What it throws about the database is a `StoreError`. */
export const createSessions = (pool: pg.Pool, timeoutMs: number): Sessions => {
  const connections = createConnections(pool)
  const commits = watchCommits(pool)

  const attempt = async <T>(limits: Limits, body: (query: Query) => Promise<T>): Promise<T> => {
    const client = await connections.take(limits)
    try {
      commits.begin(client)
      const result = await body(queryOn(client, limits))
      commits.check(client)
      connections.giveBack(client)
      return result
    } catch (error) {
      connections.giveBack(client, error)
      throw error
    }
  }

  const repeat = async <T>(settings: QueryOptions, body: (query: Query, limits: Limits) => Promise<T>): Promise<T> => {
    const limits = { signal: settings.signal, budget: settings.budget ?? startBudget(settings.timeoutMs ?? timeoutMs) }
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt(limits, (query) => body(query, limits))
      } catch (error) {
        if (tries < mostTries && meaningOf(error)?.retry) continue
        throw toStoreError(error)
      }
    }
  }

  return {
    query: (text, values, settings = {}) => repeat(settings, (query) => query(text, values, settings)),
    transaction: (body, settings = {}) =>
      repeat(settings, (query, limits) => transact(query, { ...limits, setting: settings.setting }, body)),
    budget: (ownMs = timeoutMs) => startBudget(ownMs),
  }
}
