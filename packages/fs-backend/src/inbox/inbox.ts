import type { InboxStore } from '@nexus/core'
import type { FsTools } from '../tools.ts'
import { createClaim, createHolders } from './claim.ts'
import { createEnqueue } from './enqueue.ts'
import { createHolderVerbs } from './holder.ts'
import { createInboxTools } from './inbox-tools.ts'
import { createOperatorVerbs } from './operator.ts'
import { createPurge } from './purge.ts'
import { createReadVerbs } from './reads.ts'
import { createRecoveryVerbs } from './recovery.ts'
import { watchInbox } from './watch.ts'

/**
 * The task queue on plain files: a pending task is a markdown file in its project's folder, everything else lies in one
 * hidden folder, and each step from one holder or place to the next is one rename.
 */
export const createInbox = (tools: FsTools): InboxStore => {
  const inbox = createInboxTools(tools)
  const holders = createHolders(inbox)
  return {
    enqueue: createEnqueue(inbox),
    claim: createClaim(inbox, holders),
    ...createHolderVerbs(inbox),
    ...createRecoveryVerbs(inbox, holders),
    ...createOperatorVerbs(inbox),
    ...createReadVerbs(inbox, holders),
    purge: createPurge(inbox),
    watch(signal) {
      tools.checkOpen()
      return watchInbox(inbox, signal)
    },
  }
}
