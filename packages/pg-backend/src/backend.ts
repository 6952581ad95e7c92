import type { Backend, BackendContext, StoreName } from '@nexus/core'
import { checkOpen } from '@nexus/core'
import { openPgClient, type PgClient, type PgClientOptions } from './client.ts'
import { createCompletions } from './completions.ts'
import { warnUnlessDurable } from './durability.ts'
import { createHealth } from './health.ts'
import { createHostState } from './host-state.ts'
import { createInbox } from './inbox/inbox.ts'
import { migrate } from './migrate.ts'
import { createMarks, type Marks, watchFences } from './moved.ts'
import { createOperations } from './operations.ts'
import { createRunStatement } from './query.ts'
import { createRecords } from './records/records.ts'
import { createTaskFiles } from './task-files.ts'
import type { PgTools } from './tools.ts'
import { createWorkflows } from './workflows.ts'

export interface PgBackendOptions extends BackendContext, Pick<PgClientOptions, 'maxConnections' | 'timeoutMs'> {
  dsn: string
  /** A direct connection for LISTEN where `dsn` goes through a transaction pooler. */
  listenDsn?: string | null | undefined
}

const openClient = async (options: PgBackendOptions): Promise<{ client: PgClient; marks: Marks }> => {
  const client = openPgClient(options)
  try {
    await migrate({ client, logger: options.logger })
    await warnUnlessDurable(client, options.logger)
    const marks = createMarks(client)
    await marks.read()
    return { client: watchFences(client, marks), marks }
  } catch (error) {
    await client[Symbol.asyncDispose]()
    throw error
  }
}

/** Opens the five stores on PostgreSQL, creating or completing the tables first. [C-PG-1] */
export const openPgBackend = async (options: PgBackendOptions): Promise<Backend> => {
  const { dsn, listenDsn, clock, ids, logger, liveness } = options
  const { client, marks } = await openClient(options)
  let isClosed = false
  const tools: PgTools = {
    client,
    run: createRunStatement(client, clock),
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
  const toolsOf = (store: StoreName): PgTools => ({
    ...tools,
    checkOpen(callOptions) {
      tools.checkOpen(callOptions)
      marks.check(store)
    },
    begin(callOptions) {
      const call = tools.begin(callOptions)
      marks.check(store)
      return call
    },
  })
  const inbox = createInbox(toolsOf('inbox'))
  return {
    name: 'postgres',
    capabilities: { manyHosts: true, mailbox: false },
    workflows: createWorkflows(toolsOf('workflows')),
    completions: createCompletions(toolsOf('completions')),
    hostState: createHostState(toolsOf('hostState')),
    taskFiles: createTaskFiles(toolsOf('taskFiles')),
    inbox,
    operations: createOperations(tools),
    records: createRecords(tools, marks),
    health: createHealth({ dsn, clock, marks, isClosed: () => isClosed }),
    async [Symbol.asyncDispose]() {
      isClosed = true
      await inbox[Symbol.asyncDispose]()
      await client[Symbol.asyncDispose]()
    },
  }
}
