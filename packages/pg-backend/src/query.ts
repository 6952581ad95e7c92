import { createHash } from 'node:crypto'
import type { PgClient } from './client.ts'
import { sqlStateOf } from './pg-errors.ts'
import type { Query, QueryOptions, Row } from './session.ts'

/** One SQL statement with the shape of its rows. Its name comes from its whole text, so two texts never share one. */
export interface Statement<R extends Row = Row> {
  readonly name: string
  readonly text: string
  /** Never set: carries the type of a row. */
  readonly row?: R
}

export const statement = <R extends Row>(text: string): Statement<R> => ({
  name: `nexus_${createHash('sha256').update(text).digest('base64url').slice(0, 40)}`,
  text,
})

/** Runs one statement in a transaction of its own and gives its rows; what it throws is a `StoreError`. */
export type RunStatement = <R extends Row>(
  statement: Statement<R>,
  values: unknown[],
  options?: Omit<QueryOptions, 'name'>,
) => Promise<R[]>

/** A pooler gave us a connection that does not have the prepared statement, or has another of its name. */
const unnamedStates: readonly string[] = ['26000', '42P05']
/** A table changed under a prepared statement. */
const changedPlanState = '0A000'

/** Each of those states is reported before anything was applied, so the statement may be sent again. */
export const createRunStatement = (client: Pick<PgClient, 'query'>): RunStatement => {
  let isNamed = true
  let generation = 0

  /** True where the next try is sent in another way than the one that failed. */
  const learn = (state: string | undefined, tried: { isNamed: boolean; generation: number }): boolean => {
    if (!tried.isNamed || state === undefined) return false
    if (unnamedStates.includes(state)) isNamed = false
    // A new name makes every connection prepare anew; the old plan would fail for as long as its connection lives.
    else if (state === changedPlanState) generation = Math.max(generation, tried.generation + 1)
    else return false
    return true
  }

  return async <R extends Row>({ name, text }: Statement<R>, values: unknown[], options: QueryOptions = {}) => {
    const send = async (): Promise<R[]> => {
      const named = isNamed ? { ...options, name: `${name}_${generation}` } : options
      return (await client.query<R>(text, values, named)).rows
    }
    const tried = { isNamed, generation }
    try {
      return await send()
    } catch (error) {
      if (!learn(sqlStateOf(error), tried)) throw error
      return send()
    }
  }
}

/** Within a transaction. Without names: behind a pooler one could be missing, and here nothing can be sent again. */
export const runWithin =
  (query: Query): RunStatement =>
  async <R extends Row>({ text }: Statement<R>, values: unknown[]) =>
    (await query<R>(text, values)).rows
