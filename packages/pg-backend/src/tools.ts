import type { BackendContext, CallOptions } from '@nexus/core'
import type { PgClient } from './client.ts'
import type { RunStatement } from './query.ts'

/** What every store on PostgreSQL is made of. */
export interface PgTools extends BackendContext {
  client: PgClient
  /** The one way to the tables for what is done often: a named prepared statement. */
  run: RunStatement
  /** Where LISTEN works; the common one unless a pooler stands before it. */
  listenDsn: string
  checkOpen(options?: CallOptions): void
}
