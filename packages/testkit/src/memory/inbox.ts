import type { InboxStore } from '@nexus/core'
import { createClaim } from './inbox-claim.ts'
import { createEnqueue } from './inbox-enqueue.ts'
import { createHolderVerbs } from './inbox-holder.ts'
import { createOperatorVerbs } from './inbox-operator.ts'
import { createReadVerbs } from './inbox-reads.ts'
import { createRecoveryVerbs } from './inbox-recovery.ts'
import type { MemoryInboxTools } from './inbox-tools.ts'
import { watchInbox } from './inbox-watch.ts'

/**
 * The inbox of the memory backend. Each verb runs in one turn of the event loop, which is what makes it atomic; a peer
 * is another `createMemoryInbox` on the same data.
 */
export const createMemoryInbox = (
  given: Omit<MemoryInboxTools, 'random'> & { random?: MemoryInboxTools['random'] },
): InboxStore => {
  const tools: MemoryInboxTools = { random: Math.random, ...given }
  const { data, checkOpen } = tools
  const enqueue = createEnqueue(tools)
  const claim = createClaim(tools)
  return {
    async enqueue(tasks, options) {
      checkOpen(options)
      return enqueue(tasks)
    },
    async claim(request, options) {
      checkOpen(options)
      return claim(request)
    },
    ...createHolderVerbs(tools),
    ...createRecoveryVerbs(tools),
    ...createOperatorVerbs(tools),
    ...createReadVerbs(tools),
    watch(signal) {
      checkOpen()
      return watchInbox(data, signal)
    },
  }
}
