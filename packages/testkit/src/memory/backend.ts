import type { Backend, BackendContext } from '@nexus/core'
import { checkOpen } from '@nexus/core'
import { createMemoryCompletions } from './completions.ts'
import { createMemoryData, type MemoryData } from './data.ts'
import { createMemoryHostState } from './host-state.ts'
import { createMemoryInbox } from './inbox.ts'
import { createMemoryTaskFiles } from './task-files.ts'
import type { MemoryTools } from './tools.ts'
import { createMemoryWorkflows } from './workflows.ts'

/**
 * The contract as a program, as short as it can be: every verb runs in one turn of the event loop, so nothing can come
 * between. `data` outlives the opening: another opening of it is a peer, or the same backend after a restart.
 */
export const openMemoryBackend = (context: BackendContext, data: MemoryData = createMemoryData()): Backend => {
  let isClosed = false
  const tools: MemoryTools = { data, context, checkOpen: (options) => checkOpen(isClosed, 'memory', options) }
  const { clock, ids, liveness } = context
  return {
    name: 'memory',
    capabilities: { manyHosts: false, mailbox: false },
    workflows: createMemoryWorkflows(tools),
    completions: createMemoryCompletions(tools),
    hostState: createMemoryHostState(tools),
    taskFiles: createMemoryTaskFiles(tools),
    inbox: createMemoryInbox({ data: data.inbox, clock, ids, liveness, checkOpen: tools.checkOpen }),
    async health() {
      return isClosed ? { status: 'down', reason: 'closed', since: clock.now() } : { status: 'ok' }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
    },
  }
}
