import type { BackendContext, CallOptions, OperationOptions } from '@nexus/core'
import type { Budget } from './budget.ts'
import type { PgClient } from './client.ts'
import type { RunStatement } from './query.ts'

/** A call under way: all of its statements share one budget. */
export interface Call extends CallOptions {
  budget: Budget
  /** Of the operation that it is, if it is one: recorded by the statement that has the effect. */
  id?: string | undefined
}

/** What every store on PostgreSQL is made of. */
export interface PgTools extends BackendContext {
  client: PgClient
  /** The one way to the tables for what is done often: a named prepared statement. */
  run: RunStatement
  /** Where LISTEN works; the common one unless a pooler stands before it. */
  listenDsn: string
  checkOpen(options?: CallOptions): void
  /** The same, and the time of the call begins to run. */
  begin(options?: OperationOptions): Call
}
