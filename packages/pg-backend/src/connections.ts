import { StoreError } from '@nexus/core'
import type pg from 'pg'
import { type Budget, withinBudget } from './budget.ts'
import { meaningOf, type PgErrorMeaning, unsentError } from './pg-errors.ts'

export interface Limits {
  budget: Budget
  signal: AbortSignal | undefined
}

/** The connections of the pool that may still be of use. */
export interface Connections {
  take(limits: Limits): Promise<pg.PoolClient>
  /** `error`: what the work on it ended with, if it failed. */
  giveBack(client: pg.PoolClient, error?: unknown): void
}

export const abortable = async <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
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

/** Whatever is not known to leave the connection in order ends it: a late answer must never meet the next statement. */
const endsOf = (error: unknown): PgErrorMeaning['ends'] =>
  meaningOf(error)?.ends ?? (error instanceof StoreError ? 'none' : 'all')

export const isSpent = (error: unknown): boolean => endsOf(error) !== 'none'

/**
 * Where one connection is lost, those that were there before it are not used any more: after a restart, a failover or a
 * cut line each of them would cost a call, and its whole time where nothing comes back on it.
 */
export const createConnections = (pool: pg.Pool): Connections => {
  const eras = new WeakMap<pg.PoolClient, number>()
  let era = 0
  const suspectOthers = (client: pg.PoolClient): void => {
    if (eras.get(client) === era) era += 1
  }
  pool.on('connect', (client) => eras.set(client, era))
  pool.on('error', (_, client) => suspectOthers(client))

  const connect = async ({ budget, signal }: Limits): Promise<pg.PoolClient> => {
    signal?.throwIfAborted()
    const left = budget.left()
    // One that idles is given at once; should it be lost in that instant, the pool's own limit holds.
    const isAtHand = pool.idleCount > 0 && pool.waitingCount === 0
    const connecting = pool.connect()
    try {
      return await abortable(isAtHand ? connecting : withinBudget(connecting, left), signal)
    } catch (error) {
      connecting.then(
        (late) => late.release(),
        () => {},
      )
      throw unsentError(error)
    }
  }

  return {
    async take(limits) {
      for (;;) {
        const client = await connect(limits)
        if (eras.get(client) === era) return client
        client.release(true)
      }
    },
    giveBack(client, error) {
      const ends = error === undefined ? 'none' : endsOf(error)
      if (ends === 'all') suspectOthers(client)
      client.release(ends !== 'none')
    },
  }
}
