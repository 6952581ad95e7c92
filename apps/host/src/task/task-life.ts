import type { ProjectConfig } from '../config/host-config.ts'
import type { HostTools } from '../host-tools.ts'
import type { Availability } from '../loop/availability.ts'
import { type Hold, HoldEnded } from '../loop/hold.ts'
import { createBroken } from './broken.ts'
import { createFinish, type TaskOutcome } from './finish.ts'
import { allocateIssueNumber } from './issue-number.ts'
import { issueNumberIn } from './markdown.ts'
import { openWorkflow } from './open-workflow.ts'
import { release } from './release.ts'
import { runSteps } from './step-loop.ts'

/** A project that this configuration does not know is looked at again after this. */
const unknownProjectMs = 300_000

/**
 * From claim to done. It remembers nothing: each stage asks the stores what is already there, so a task that a dead host
 * left anywhere in it goes through the same function and continues where it stood.
 */
export const createTaskLife = (tools: HostTools, availability: Availability) => {
  const { stores, logger, clock, timing, config, runner } = tools
  const finish = createFinish(tools)
  const endBroken = createBroken(tools)

  const releaseFor = (hold: Hold, status: 'busy' | 'waiting' | 'unknown-project', afterMs: number) =>
    release(tools, hold, status, new Date(clock.now() + afterMs))

  /** Null where the task names no number and none can be given now. */
  const numberFor = async ({ task }: Hold, { issuePrefix }: ProjectConfig): Promise<string | null> =>
    issueNumberIn(task.markdown) ??
    availability.attempt('issue number', () => allocateIssueNumber(stores.hostState, task.project, issuePrefix))

  const live = async (hold: Hold, project: ProjectConfig): Promise<TaskOutcome> => {
    hold.isEnding = false
    // Remembered before it is bound: a bind whose answer was lost may have happened, and the next must mean the same number.
    hold.issueNumber ??= await numberFor(hold, project)
    // Tasks that name their number go on meanwhile.
    if (hold.issueNumber === null) return releaseFor(hold, 'waiting', timing.busyMs)
    // Bound before it is used for anything, so that a task keeps its number whoever takes it over.
    const bound = await stores.inbox.bind(hold.task.claim, { issueNumber: hold.issueNumber })
    if (bound.status === 'lease-lost') return { status: 'lost' }
    if (bound.status === 'busy') return releaseFor(hold, 'busy', timing.busyMs)
    const { issueNumber } = bound
    hold.issueNumber = issueNumber
    const workflowId = await openWorkflow(tools, { task: hold.task, project, issueNumber })
    const onWork = () => finish.begun(hold, project.key, issueNumber)
    const end = await runSteps(tools, { hold, project, issueNumber, workflowId, onWork })
    return finish.end(hold, project.key, issueNumber, end)
  }

  const broken = async (hold: Hold, error: unknown): Promise<TaskOutcome> => {
    const reason = error instanceof Error ? error.message : String(error)
    logger.error('task cannot be worked on', { task: hold.task.id, project: hold.task.project, error: reason })
    return endBroken(hold, reason)
  }

  const ended = async (hold: Hold, error: HoldEnded): Promise<TaskOutcome> => {
    if (error.end === 'closing') return { status: 'closing' }
    // Whoever took the task over starts the agent anew; two of them must not share the workspace.
    for (const [attempt, exit] of hold.runs) if (exit === null) await runner.stop(attempt)
    return { status: 'lost' }
  }

  return async (hold: Hold): Promise<TaskOutcome> => {
    const project = config.projects.get(hold.task.project)
    const run = async (): Promise<TaskOutcome> => {
      if (!project) return releaseFor(hold, 'unknown-project', unknownProjectMs)
      return live(hold, project)
    }
    try {
      return await availability.insist(run, hold)
    } catch (error) {
      if (error instanceof HoldEnded) return ended(hold, error)
      return availability.insist(() => broken(hold, error), hold).catch(() => ({ status: 'lost' as const }))
    }
  }
}
