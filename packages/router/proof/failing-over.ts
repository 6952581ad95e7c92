import type { Backend } from '@nexus/core'
import { openPgBackend } from '@nexus/pg-backend'
import { createFakes } from '@nexus/testkit'
import { type FreshDatabase, freshDatabase } from '@nexus/testkit/postgres'
import { type Pair, startPair } from '@nexus/testkit/postgres/pair'
import { type Pooler, startPooler } from '@nexus/testkit/postgres/pgbouncer'

/** As in docs/operations.md. */
const settings = { default_pool_size: 20, server_login_retry: 0.5 }

/** A synchronous pair with a pooler in front, and one database. */
export interface Scene extends AsyncDisposable {
  pair: Pair
  pooler: Pooler
  database: FreshDatabase
  /** What the standby becomes the primary for; the pooler is sent there. */
  promote(): Promise<void>
  /** The stores on the server that was the standby, without the pooler. */
  openStandby(): Promise<Backend>
}

export const openScene = async (): Promise<Scene> => {
  const pair = await startPair()
  const database = await freshDatabase(pair.primary.dsn)
  const name = new URL(database.dsn).pathname.slice(1)
  const pooler = await startPooler({ dsn: pair.primary.dsn, settings })
  const there = new URL(pair.standby.dsn)
  there.pathname = `/${name}`
  return {
    pair,
    pooler,
    database,
    async promote() {
      await pair.ask(pair.standby, 'SELECT pg_promote()')
      await pooler.pointTo(pair.standby.dsn)
    },
    openStandby: () => openPgBackend({ ...createFakes().context, dsn: there.href }),
    async [Symbol.asyncDispose]() {
      await pooler[Symbol.asyncDispose]()
      await pair[Symbol.asyncDispose]()
    },
  }
}
