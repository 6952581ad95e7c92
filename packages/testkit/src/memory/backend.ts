import type { Backend, BackendContext, StoreName } from '@nexus/core'
import { checkOpen, movedAway, movedHealth } from '@nexus/core'
import { createMemoryCompletions } from './completions.ts'
import { createMemoryData, type MemoryData } from './data.ts'
import { createMemoryHostState } from './host-state.ts'
import { createMemoryInbox } from './inbox.ts'
import { createMemoryRecords } from './records.ts'
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
  const toolsOf = (store: StoreName): MemoryTools => ({
    ...tools,
    checkOpen(options) {
      tools.checkOpen(options)
      const moved = data.moved.get(store)
      if (moved) throw movedAway(moved)
    },
  })
  const { clock, ids, liveness } = context
  return {
    name: 'memory',
    capabilities: { manyHosts: false, mailbox: false },
    workflows: createMemoryWorkflows(toolsOf('workflows')),
    completions: createMemoryCompletions(toolsOf('completions')),
    hostState: createMemoryHostState(toolsOf('hostState')),
    taskFiles: createMemoryTaskFiles(toolsOf('taskFiles')),
    inbox: createMemoryInbox({ data: data.inbox, clock, ids, liveness, checkOpen: toolsOf('inbox').checkOpen }),
    records: createMemoryRecords(tools),
    async health(store) {
      if (isClosed) return { status: 'down', reason: 'closed', since: clock.now() }
      const moved = data.moved.get(store)
      return moved ? movedHealth(moved) : { status: 'ok' }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
    },
  }
}
