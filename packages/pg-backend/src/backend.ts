import type { Backend, BackendContext, CallOptions, Health } from '@nexus/core'
import { checkOpen } from '@nexus/core'
import { openPgClient, type PgClient, type PgClientOptions } from './client.ts'
import { createCompletions } from './completions.ts'
import { createHostState } from './host-state.ts'
import { createInbox } from './inbox/inbox.ts'
import { migrate } from './migrate.ts'
import { createRunStatement } from './query.ts'
import { createTaskFiles } from './task-files.ts'
import type { PgTools } from './tools.ts'
import { createWorkflows } from './workflows.ts'

export interface PgBackendOptions extends BackendContext, Pick<PgClientOptions, 'maxConnections' | 'timeoutMs'> {
  dsn: string
  /** A direct connection for LISTEN where `dsn` goes through a transaction pooler. */
  listenDsn?: string | null | undefined
}

/** What a database that serves answers at once; one that does not in this time is down. Milliseconds. */
const healthTimeoutMs = 1000

const createHealth = (client: PgClient, { clock }: BackendContext) => {
  let downSince: number | null = null

  const problem = async (options: CallOptions): Promise<string | null> => {
    try {
      const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby', [], {
        timeoutMs: healthTimeoutMs,
        signal: options.signal,
      })
      return rows[0]?.standby ? 'PostgreSQL is a standby: it cannot be written to.' : null
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  return async (options: CallOptions): Promise<Health> => {
    const reason = await problem(options)
    downSince = reason === null ? null : (downSince ?? clock.now())
    return reason === null || downSince === null ? { status: 'ok' } : { status: 'down', reason, since: downSince }
  }
}

const openClient = async (options: PgBackendOptions): Promise<PgClient> => {
  const client = openPgClient(options)
  try {
    await migrate({ client, logger: options.logger })
    return client
  } catch (error) {
    await client[Symbol.asyncDispose]()
    throw error
  }
}

/** Opens the five stores on PostgreSQL, creating or completing the tables first. [C-PG-1] */
export const openPgBackend = async (options: PgBackendOptions): Promise<Backend> => {
  const { dsn, listenDsn, clock, ids, logger, liveness } = options
  const client = await openClient(options)
  let isClosed = false
  const tools: PgTools = {
    client,
    run: createRunStatement(client),
    listenDsn: listenDsn ?? dsn,
    checkOpen: (callOptions) => checkOpen(isClosed, 'postgres', callOptions),
    clock,
    ids,
    logger,
    liveness,
  }
  const health = createHealth(client, tools)
  const inbox = createInbox(tools)
  return {
    name: 'postgres',
    capabilities: { manyHosts: true, mailbox: false },
    workflows: createWorkflows(tools),
    completions: createCompletions(tools),
    hostState: createHostState(tools),
    taskFiles: createTaskFiles(tools),
    inbox,
    health: (_store, callOptions = {}) => health(callOptions),
    async [Symbol.asyncDispose]() {
      isClosed = true
      await inbox[Symbol.asyncDispose]()
      await client[Symbol.asyncDispose]()
    },
  }
}
