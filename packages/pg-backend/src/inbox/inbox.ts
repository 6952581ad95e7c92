import type { InboxStore } from '@nexus/core'
import type { PgTools } from '../tools.ts'
import { createClaim } from './claim.ts'
import { createEnqueue } from './enqueue.ts'
import { createHolderVerbs } from './holder.ts'
import type { InboxTools } from './inbox-tools.ts'
import { createOperatorVerbs } from './operator.ts'
import { createReadVerbs } from './reads.ts'
import { createRecoveryVerbs } from './recovery.ts'
import { createWake } from './wake.ts'
import { createWatches } from './watch.ts'

/** The inbox on PostgreSQL. Disposing ends its connections for LISTEN. */
export const createInbox = (given: PgTools): InboxStore & AsyncDisposable => {
  const { wake, settled } = createWake(given)
  const tools: InboxTools = { ...given, wake }
  const { checkOpen } = tools
  const enqueue = createEnqueue(tools)
  const claim = createClaim(tools)
  const watches = createWatches(tools)
  return {
    async enqueue(tasks, options = {}) {
      checkOpen(options)
      return enqueue(tasks, options)
    },
    async claim(request, options = {}) {
      checkOpen(options)
      return claim(request, options)
    },
    ...createHolderVerbs(tools),
    ...createRecoveryVerbs(tools),
    ...createOperatorVerbs(tools),
    ...createReadVerbs(tools),
    watch(signal) {
      checkOpen()
      return watches.watch(signal)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([watches.end(), settled()])
    },
  }
}
