import type { InboxStore } from '@nexus/core'
import { begun } from '../fs-errors.ts'
import type { FsTools } from '../tools.ts'
import { createClaim } from './claim.ts'
import { createEnqueue } from './enqueue.ts'
import { createHolderVerbs } from './holder.ts'
import { createHolders } from './holders.ts'
import { createInboxTools } from './inbox-tools.ts'
import { createOperatorVerbs } from './operator.ts'
import { createPromotion } from './promotion.ts'
import { createPurge } from './purge.ts'
import { createReadVerbs } from './reads.ts'
import { createResume } from './resume.ts'
import { createSweep } from './sweep.ts'
import { watchInbox } from './watch.ts'

/** A verb of several steps: where one fails, those before it have happened. */
const ofSteps =
  <A extends unknown[], R>(verb: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) =>
  (...args) =>
    begun(() => verb(...args))

/**
 * The task queue on plain files: a pending task is a markdown file in its project's folder, everything else lies in one
 * hidden folder, and each step from one holder or place to the next is one rename.
 */
export const createInbox = (tools: FsTools): InboxStore => {
  const inbox = createInboxTools(tools)
  const holders = createHolders(inbox)
  const promote = createPromotion(inbox)
  const { bind, heartbeat, complete, fail, release } = createHolderVerbs(inbox)
  const { requeue, cancel } = createOperatorVerbs(inbox)
  return {
    enqueue: ofSteps(createEnqueue(inbox)),
    claim: ofSteps(createClaim(inbox, holders, promote)),
    bind: ofSteps(bind),
    heartbeat: ofSteps(heartbeat),
    complete: ofSteps(complete),
    fail: ofSteps(fail),
    release: ofSteps(release),
    resume: ofSteps(createResume(inbox, holders)),
    sweep: ofSteps(createSweep(inbox, promote)),
    requeue: ofSteps(requeue),
    cancel: ofSteps(cancel),
    ...createReadVerbs(inbox, holders),
    purge: ofSteps(createPurge(inbox)),
    watch(signal) {
      tools.checkOpen()
      return watchInbox(inbox, signal)
    },
  }
}
