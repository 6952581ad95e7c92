import { StoreError } from '@nexus/core'
import type pg from 'pg'
import { meaningOf, toStoreError } from './pg-errors.ts'

export interface QueryOptions {
  signal?: AbortSignal | undefined
  /** For bulk and schema work, in place of the default. */
  timeoutMs?: number | undefined
  /** Prepares the statement under this name, once per connection. */
  name?: string | undefined
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
  /** One statement, repeated where the database says that it lost a race. */
  query: Query
  /** All or nothing at READ COMMITTED. The body runs again where the database says that it lost a race. */
  transaction<T>(body: (query: Query) => Promise<T>, options?: QueryOptions): Promise<T>
}

const raceLimit = 5

const abortable = async <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (!signal) return work
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
    work.catch(() => {})
  }
}

interface Budget {
  left(): number
  signal: AbortSignal | undefined
}

const startBudget = (timeoutMs: number, signal: AbortSignal | undefined): Budget => {
  const start = performance.now()
  // A slow connect leaves the statement at least a little, so the whole stays near the limit.
  return { left: () => Math.max(timeoutMs / 10, timeoutMs - (performance.now() - start)), signal }
}

const queryOn =
  (client: pg.PoolClient, budget: Budget): Query =>
  async <R extends Row>(text: string, values: unknown[] = [], { name, signal, timeoutMs }: QueryOptions = {}) => {
    const config = { text, values, ...(name !== undefined && { name }), query_timeout: timeoutMs ?? budget.left() }
    const { rows, rowCount } = await abortable(client.query<R>(config), signal ?? budget.signal)
    return { rows, rowCount: rowCount ?? 0 }
  }

/** Whatever is not known to leave the connection in order ends it: a late answer must never meet the next statement. */
const isSpent = (error: unknown): boolean => meaningOf(error)?.ends ?? !(error instanceof StoreError)

/** Work on connections of the pool. What it throws about the database is a `StoreError`. */
export const createSessions = (pool: pg.Pool, timeoutMs: number): Sessions => {
  const withConnection = async <T>(
    { signal, timeoutMs: own = timeoutMs }: QueryOptions,
    body: (client: pg.PoolClient, budget: Budget) => Promise<T>,
  ): Promise<T> => {
    signal?.throwIfAborted()
    const budget = startBudget(own, signal)
    const connecting = pool.connect()
    const client = await abortable(connecting, signal).catch((error) => {
      connecting.then(
        (late) => late.release(),
        () => {},
      )
      throw error
    })
    try {
      const result = await body(client, budget)
      client.release()
      return result
    } catch (error) {
      client.release(isSpent(error))
      throw error
    }
  }

  const repeat = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt()
      } catch (error) {
        if (tries < raceLimit && meaningOf(error)?.retry) continue
        throw toStoreError(error)
      }
    }
  }

  const transact = async <T>(client: pg.PoolClient, budget: Budget, body: (query: Query) => Promise<T>): Promise<T> => {
    const query = queryOn(client, budget)
    await query('BEGIN')
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

  return {
    query: (text, values, settings = {}) =>
      repeat(() => withConnection(settings, (client, budget) => queryOn(client, budget)(text, values, settings))),
    transaction: (body, settings = {}) =>
      repeat(() => withConnection(settings, (client, budget) => transact(client, budget, body))),
  }
}
