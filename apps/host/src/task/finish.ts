import type { FailResult, LeaseLost } from '@nexus/core'
import { attemptsOf } from '@nexus/engine'
import type { HostTools } from '../host-tools.ts'
import type { Hold } from '../loop/hold.ts'
import { titleOf } from './markdown.ts'
import { taskFileOf } from './open-workflow.ts'
import { isReached } from './reached.ts'
import { release } from './release.ts'
import type { StepsEnd } from './step-loop.ts'

/** How this host's work on a task ended. */
export type TaskOutcome =
  | { status: 'done' | 'lost' | 'closing' }
  | { status: 'failed'; error: string }
  /** Back in the inbox, due at `retryAt`. */
  | { status: 'retrying'; error: string; retryAt: Date }
  /** `waiting`: for a store that cannot be reached. */
  | { status: 'busy' | 'waiting' | 'held-back' | 'paused' | 'unknown-project'; retryAt: Date }

/** What `inbox.fail` answered, as an outcome. */
export const failOutcome = (result: FailResult | LeaseLost, error: string): TaskOutcome => {
  if (result.status === 'lease-lost') return { status: 'lost' }
  return result.status === 'failed' ? { status: 'failed', error } : { status: 'retrying', error, retryAt: result.runAt }
}

type Track = (hold: Hold, project: string, issueNumber: string, status: string) => Promise<void>

export const createTrack =
  (records: Pick<HostTools['records'], 'trackIssue'>): Track =>
  (hold, project, issueNumber, status) => {
    const { markdown, filename } = hold.task
    return records.trackIssue({ project, issueNumber, description: titleOf(markdown, filename) }, status)
  }

/** What others read of the issue while its task has tries left, and after the last. */
export const statusAfterFailure = ({ task }: Hold, isFatal: boolean): string =>
  isFatal || task.attempts + 1 >= task.maxAttempts ? 'failed' : 'active'

const statusAfter = (hold: Hold, end: StepsEnd): string => {
  if (end.status === 'vanished') return statusAfterFailure(hold, false)
  return end.status === 'failed' ? statusAfterFailure(hold, end.fatal) : end.status
}

/** Every part may have been done by a host that died: each is repeated without harm, and the inbox is told last. */
export const createFinish = (tools: HostTools) => {
  const { stores, records, clock, timing, logger } = tools
  const track = createTrack(records)

  const completed = async (hold: Hold, project: string): Promise<TaskOutcome> => {
    const file = hold.document ? taskFileOf(hold.document) : null
    if (file !== null) await stores.taskFiles.close(project, file)
    const answer = await stores.inbox.complete(hold.task.claim)
    return answer.status === 'done' ? { status: 'done' } : { status: 'lost' }
  }

  return {
    /** The work does not wait for it: its end does. */
    async begun(hold: Hold, project: string, issueNumber: string): Promise<void> {
      if (hold.isTracked) return
      hold.isTracked = await isReached(track(hold, project, issueNumber, 'active'))
    },

    async end(hold: Hold, project: string, issueNumber: string, end: StepsEnd): Promise<TaskOutcome> {
      const { claim } = hold.task
      hold.isEnding = true
      if (end.status === 'held-back') {
        const retryAt = new Date(clock.now() + end.waitMs)
        logger.info('task held back', { project, issue: issueNumber, reason: end.reason })
        const over = [...hold.runs].filter(([, exit]) => exit !== null).map(([attempt]) => attempt)
        await isReached(records.removeAgents(over))
        return release(tools, hold, 'held-back', retryAt)
      }
      await track(hold, project, issueNumber, statusAfter(hold, end))
      if (hold.document) await records.removeAgents(attemptsOf(hold.document))
      switch (end.status) {
        case 'completed':
          return completed(hold, project)
        case 'failed':
          return failOutcome(
            await stores.inbox.fail(claim, end.error, { fatal: end.fatal || hold.cancelRequested }),
            end.error,
          )
        case 'vanished':
          return failOutcome(await stores.inbox.fail(claim, 'Its workflow was deleted.'), 'its workflow was deleted')
        case 'cancelled':
          return failOutcome(await stores.inbox.fail(claim, end.reason, { fatal: true }), end.reason)
        case 'paused': {
          // A person who is at it is not kept waiting; one who let it lie is not waited for every few seconds.
          const agedMs = (clock.now() - end.since.getTime()) / 10
          const retryAt = new Date(clock.now() + Math.min(Math.max(agedMs, timing.pausedMinMs), timing.pausedMs))
          logger.info('task paused', { project, issue: issueNumber, reason: end.reason })
          return release(tools, hold, 'paused', retryAt)
        }
      }
    },
  }
}
