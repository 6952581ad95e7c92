import { stepName } from '@nexus/engine'
import type { Hold, Holds } from './hold.ts'

/** A step of a workflow, counted from 1. `since`: of its launch, in epoch milliseconds; null where that is not known. */
export interface RunningStep {
  number: number
  name: string
  agent: string
  since: number | null
}

/** A task that this host holds, as a person follows it. */
export interface HeldTask {
  project: string
  /** Null while it has none. */
  issueNumber: string | null
  filename: string
  /** The steps that run, one unless they are parallel; none between two steps. */
  running: RunningStep[]
  /** How many steps its workflow has. */
  steps: number
  /** What its agent last said of its progress. */
  progress: string | null
}

const runningIn = ({ document }: Hold): RunningStep[] =>
  (document?.steps ?? []).flatMap((step, index) => {
    if (step.status !== 'running') return []
    const since = Date.parse(step.launched_at ?? '')
    return [
      { number: index + 1, name: stepName(step), agent: step.agent.name, since: Number.isNaN(since) ? null : since },
    ]
  })

/** What is held now, the longest held first. */
export const heldTasks = (holds: Holds): HeldTask[] =>
  [...holds.values()].map((hold) => ({
    project: hold.task.project,
    issueNumber: hold.issueNumber,
    filename: hold.task.filename,
    running: runningIn(hold),
    steps: hold.document?.steps.length ?? 0,
    progress: hold.progress,
  }))
