import type { Backend, BackendContext } from '@nexus/core'
import { checkOpen } from '@nexus/core'
import { openPgClient, type PgClient, type PgClientOptions } from './client.ts'
import { createCompletions } from './completions.ts'
import { warnUnlessDurable } from './durability.ts'
import { createHealth } from './health.ts'
import { createHostState } from './host-state.ts'
import { createInbox } from './inbox/inbox.ts'
import { migrate } from './migrate.ts'
import { createOperations } from './operations.ts'
import { createRunStatement } from './query.ts'
import { createTaskFiles } from './task-files.ts'
import type { PgTools } from './tools.ts'
import { createWorkflows } from './workflows.ts'

export interface PgBackendOptions extends BackendContext, Pick<PgClientOptions, 'maxConnections' | 'timeoutMs'> {
  dsn: string
  /** A direct connection for LISTEN where `dsn` goes through a transaction pooler. */
  listenDsn?: string | null | undefined
}

const openClient = async (options: PgBackendOptions): Promise<PgClient> => {
  const client = openPgClient(options)
  try {
    await migrate({ client, logger: options.logger })
    await warnUnlessDurable(client, options.logger)
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
    begin(callOptions = {}) {
      checkOpen(isClosed, 'postgres', callOptions)
      return { signal: callOptions.signal, budget: client.budget(callOptions.timeoutMs) }
    },
    clock,
    ids,
    logger,
    liveness,
  }
  const inbox = createInbox(tools)
  return {
    name: 'postgres',
    capabilities: { manyHosts: true, mailbox: false },
    workflows: createWorkflows(tools),
    completions: createCompletions(tools),
    hostState: createHostState(tools),
    taskFiles: createTaskFiles(tools),
    inbox,
    operations: createOperations(tools),
    health: createHealth({ dsn, clock, isClosed: () => isClosed }),
    async [Symbol.asyncDispose]() {
      isClosed = true
      await inbox[Symbol.asyncDispose]()
      await client[Symbol.asyncDispose]()
    },
  }
}
