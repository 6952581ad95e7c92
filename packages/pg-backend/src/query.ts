import { createHash } from 'node:crypto'
import { type Clock, systemClock } from '@nexus/core'
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

/** Milliseconds from which on a statement may be slow because of its plan. */
const slowMs = 100
/** Between two tries with new plans, doubled each time: what is slow for another reason is to fill no connection with them. */
const renewMs = 1000

/**
 * Whether all plans are to be made anew: one that was made while a table was empty, or small, may read all of it now, and is
 * kept until the server gathers statistics, which can be a minute.
 */
const createRenewal = () => {
  let [next, pauseMs] = [Number.NEGATIVE_INFINITY, renewMs]
  return (begun: number, ended: number): boolean => {
    if (ended - begun < slowMs || ended < next) return false
    next = ended + pauseMs
    pauseMs *= 2
    return true
  }
}

/** Each of those states is reported before anything was applied, so the statement may be sent again. */
export const createRunStatement = (
  client: Pick<PgClient, 'query'>,
  { monotonic }: Pick<Clock, 'monotonic'> = systemClock,
): RunStatement => {
  let isNamed = true
  let generation = 0
  const isToRenew = createRenewal()
  let names = new Map<string, string>()
  const nameNow = (name: string): string => {
    const made = names.get(name) ?? `${name}_${generation}`
    names.set(name, made)
    return made
  }

  const renew = (former: number): void => {
    if (former !== generation) return
    generation += 1
    names = new Map()
  }

  /** True where the next try is sent in another way than the one that failed. */
  const learn = (state: string | undefined, tried: { isNamed: boolean; generation: number }): boolean => {
    if (!tried.isNamed || state === undefined) return false
    if (unnamedStates.includes(state)) isNamed = false
    // A new name makes every connection prepare anew; the old plan would fail for as long as its connection lives.
    else if (state !== changedPlanState) return false
    else renew(tried.generation)
    return true
  }

  return async <R extends Row>({ name, text }: Statement<R>, values: unknown[], options: QueryOptions = {}) => {
    const send = async (): Promise<R[]> => {
      const named = isNamed ? { ...options, name: nameNow(name) } : options
      return (await client.query<R>(text, values, named)).rows
    }
    const tried = { isNamed, generation }
    const begun = monotonic()
    try {
      return await send()
    } catch (error) {
      if (!learn(sqlStateOf(error), tried)) throw error
      return await send()
    } finally {
      if (isToRenew(begun, monotonic())) renew(tried.generation)
    }
  }
}

/** Within a transaction. Without names: behind a pooler one could be missing, and here nothing can be sent again. */
export const runWithin =
  (query: Query): RunStatement =>
  async <R extends Row>({ text }: Statement<R>, values: unknown[]) =>
    (await query<R>(text, values)).rows
