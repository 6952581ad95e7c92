import { isStoreError } from '@nexus/core'
import { attemptsOf } from '@nexus/engine'
import type { HostTools } from '../host-tools.ts'
import { type Hold, HoldEnded } from '../loop/hold.ts'
import { createTrack, failOutcome, statusAfterFailure, type TaskOutcome } from './finish.ts'
import { stopAgents } from './run-step.ts'

/**
 * The end of a task that no retry of a call mends: corrupt data, or a fault of ours. Its agents end first, since whoever
 * comes next may not know them; then the task says why, and waits for its turn.
 */
export const createBroken = ({ stores, records, runner, logger }: HostTools) => {
  const track = createTrack(records)

  /** The same fault may stand in the way of it: the inbox hears of the end all the same. */
  const tidy = async ({ task: { id, project } }: Hold, work: Promise<void>): Promise<void> => {
    try {
      await work
    } catch (error) {
      if (error instanceof HoldEnded || isStoreError(error, 'unavailable')) throw error
      logger.warn('task not cleared away', { task: id, project, error: String(error) })
    }
  }

  return async (hold: Hold, reason: string): Promise<TaskOutcome> => {
    const { document, issueNumber, task } = hold
    if (document) await tidy(hold, stopAgents({ runner }, hold, document, { lingerMs: 0 }))
    hold.isEnding = true
    if (document) await tidy(hold, records.removeAgents(attemptsOf(document)))
    if (issueNumber !== null) await tidy(hold, track(hold, task.project, issueNumber, statusAfterFailure(hold, false)))
    return failOutcome(await stores.inbox.fail(task.claim, reason), reason)
  }
}
