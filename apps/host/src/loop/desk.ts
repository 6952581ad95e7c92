import type { ClaimedTask } from '@nexus/core'
import type { HostTools } from '../host-tools.ts'
import type { TaskOutcome } from '../task/finish.ts'
import { createHold, type Hold, type Holds } from './hold.ts'

/** Where claimed tasks are worked on, side by side. */
export interface Desk {
  take(task: ClaimedTask): void
  /** Outcomes of tasks that are not done, by task id. */
  readonly unfinished: ReadonlyMap<string, TaskOutcome>
}

export interface DeskOptions {
  holds: Holds
  /** Keep what failed or was lost too: `--once` answers for it. */
  once: boolean
  work(hold: Hold): Promise<TaskOutcome>
  /** Hears that there is room again. */
  onRoom(): void
}

/** Outcomes after which the task is soon looked at again, and may have the same one. */
const waits: readonly TaskOutcome['status'][] = ['busy', 'waiting', 'held-back', 'paused', 'unknown-project']

export const createDesk = (
  { logger, telemetry }: Pick<HostTools, 'logger'> & { telemetry: Pick<HostTools['telemetry'], 'taskEnded'> },
  { holds, once, work, onRoom }: DeskOptions,
): Desk => {
  const unfinished = new Map<string, TaskOutcome>()

  const settle = (task: ClaimedTask, issue: string | null, outcome: TaskOutcome): void => {
    const about = { project: task.project, issue, task: task.id, file: task.filename }
    // That it still waits is no news.
    if (!waits.includes(outcome.status) || unfinished.get(task.id)?.status !== outcome.status)
      telemetry.taskEnded(task.project, outcome.status)
    const isKept = once ? outcome.status !== 'done' : waits.includes(outcome.status)
    if (isKept) unfinished.set(task.id, outcome)
    else unfinished.delete(task.id)
    if (outcome.status === 'done') logger.info('task done', about)
    else if (outcome.status === 'failed') logger.error('task failed', { ...about, error: outcome.error })
    else if (outcome.status === 'retrying')
      logger.warn('task failed and is tried again', { ...about, retry_at: outcome.retryAt.toISOString() })
    else logger.debug('task let go', { ...about, status: outcome.status })
  }

  return {
    unfinished,
    take(task) {
      const hold = createHold(task)
      holds.set(task.id, hold)
      work(hold)
        .then((outcome) => settle(task, hold.issueNumber, outcome))
        .catch((error: unknown) => logger.error('task dropped', { task: task.id, error: String(error) }))
        .finally(() => {
          if (holds.get(task.id) === hold) holds.delete(task.id)
          // Whoever comes next may have to wait as well: they are looked at one pause after the other.
          if (unfinished.get(task.id)?.status !== 'waiting') onRoom()
        })
    },
  }
}
