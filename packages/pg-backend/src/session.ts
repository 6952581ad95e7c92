import { StoreError } from '@nexus/core'
import type pg from 'pg'
import { meaningOf, toStoreError } from './pg-errors.ts'

/** What a call may take, with all of its statements and the wait for their connections. */
export interface Budget {
  /** Milliseconds. */
  left(): number
}

export interface QueryOptions {
  signal?: AbortSignal | undefined
  /** For bulk and schema work, in place of the default. */
  timeoutMs?: number | undefined
  /** Of a call that makes several statements; else each has one of its own. */
  budget?: Budget | undefined
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
  /** Starts now; of the default length unless given. */
  budget(timeoutMs?: number): Budget
}

const raceLimit = 5

/** Known to the table of errors. */
const outOfTime = 'no time left for the next statement'

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

const startBudget = (timeoutMs: number): Budget => {
  const start = performance.now()
  return {
    left() {
      const left = timeoutMs - (performance.now() - start)
      // A statement that could hardly be answered in time is not sent: it would end as perhaps applied.
      if (left < timeoutMs / 20) throw new Error(outOfTime)
      return left
    },
  }
}

/** As the pool says it, whose own limit is for calls that have no shorter one. */
const noConnection = 'timeout exceeded when trying to connect'

const within = async <T>(work: Promise<T>, ms: number): Promise<T> => {
  let late: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(noConnection)), ms)
  })
  try {
    return await Promise.race([work, expired])
  } finally {
    clearTimeout(late)
  }
}

interface Limits {
  budget: Budget
  signal: AbortSignal | undefined
}

const queryOn =
  (client: pg.PoolClient, { budget, signal }: Limits): Query =>
  async <R extends Row>(text: string, values: unknown[] = [], { name }: Pick<QueryOptions, 'name'> = {}) => {
    const config = { text, values, ...(name !== undefined && { name }), query_timeout: budget.left() }
    const { rows, rowCount } = await abortable(client.query<R>(config), signal)
    return { rows, rowCount: rowCount ?? 0 }
  }

/** Whatever is not known to leave the connection in order ends it: a late answer must never meet the next statement. */
const isSpent = (error: unknown): boolean => meaningOf(error)?.ends ?? !(error instanceof StoreError)

const connectTo = async (pool: pg.Pool, { budget, signal }: Limits): Promise<pg.PoolClient> => {
  signal?.throwIfAborted()
  const left = budget.left()
  const connecting = pool.connect()
  try {
    return await abortable(within(connecting, left), signal)
  } catch (error) {
    connecting.then(
      (late) => late.release(),
      () => {},
    )
    throw error
  }
}

const transact = async <T>(query: Query, body: (query: Query) => Promise<T>): Promise<T> => {
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

/** Work on connections of the pool. What it throws about the database is a `StoreError`. */
export const createSessions = (pool: pg.Pool, timeoutMs: number): Sessions => {
  const withConnection = async <T>(limits: Limits, body: (query: Query) => Promise<T>): Promise<T> => {
    const client = await connectTo(pool, limits)
    try {
      const result = await body(queryOn(client, limits))
      client.release()
      return result
    } catch (error) {
      client.release(isSpent(error))
      throw error
    }
  }

  const repeat = async <T>(settings: QueryOptions, body: (query: Query) => Promise<T>): Promise<T> => {
    const { signal, budget = startBudget(settings.timeoutMs ?? timeoutMs) } = settings
    for (let tries = 1; ; tries += 1) {
      try {
        return await withConnection({ signal, budget }, body)
      } catch (error) {
        if (tries < raceLimit && meaningOf(error)?.retry) continue
        throw toStoreError(error)
      }
    }
  }

  return {
    query: (text, values, settings = {}) => repeat(settings, (query) => query(text, values, settings)),
    transaction: (body, settings = {}) => repeat(settings, (query) => transact(query, body)),
    budget: (ownMs = timeoutMs) => startBudget(ownMs),
  }
}
