import type { HostTools } from '../host-tools.ts'
import type { Hold } from '../loop/hold.ts'
import { endCancelled } from './end-cancelled.ts'
import type { TaskOutcome } from './finish.ts'

type Waiting = Exclude<Extract<TaskOutcome, { retryAt: Date }>['status'], 'retrying'>

/** Gives the task back until `retryAt`, unless a person cancelled it meanwhile: then it is over, and its workflow with it. */
export const release = async (
  tools: HostTools,
  { task }: Hold,
  status: Waiting,
  retryAt: Date,
): Promise<TaskOutcome> => {
  const answer = await tools.stores.inbox.release(task.claim, { retryAt })
  if (answer.status !== 'released') return { status: 'lost' }
  const isCancelled = await endCancelled(tools, task.id)
  return isCancelled ? { status: 'failed', error: 'cancelled by a person' } : { status, retryAt }
}
