import type { ClaimedTask } from '@nexus/core'
import type { WorkflowDocument } from '@nexus/engine'
import type { RunExit } from '../runner/index.ts'
import { type Bell, createBell } from './bell.ts'

/** Why this host works no longer on a task that is not over. */
export type HoldEnd = 'lost' | 'closing'

/** Thrown inside a task's life when its hold ended. */
export class HoldEnded extends Error {
  readonly end: HoldEnd

  constructor(end: HoldEnd) {
    super(end === 'lost' ? 'the claim was lost' : 'the host is closing')
    this.name = 'HoldEnded'
    this.end = end
  }
}

/** One task that this host holds, as far as memory goes: all of it can be had again from the stores. */
export interface Hold {
  readonly task: ClaimedTask
  readonly bell: Bell
  /** Aborts with a `HoldEnded`. */
  readonly signal: AbortSignal
  /** Attempts followed, with their ends. */
  readonly runs: Map<string, RunExit | null>
  issueNumber: string | null
  /** As last read. */
  document: WorkflowDocument | null
  cancelRequested: boolean
  /** Whether this hold saw the workflow under way: then a failure is news. */
  sawRunning: boolean
  /** Whether others can read that the issue is worked on. */
  isTracked: boolean
  /** Whether only the end is left to be told: no agent runs for it any more. */
  isEnding: boolean
  /** When it was asked last, on the monotonic clock, whether the claim is still ours, which it was. */
  confirmedAt: number
  /** Attempts that this hold saved itself: nobody can have run them before. */
  readonly fresh: Set<string>
  launchFailures: number
  /** What its agent last said of its progress. */
  progress: string | null
  end(end: HoldEnd): void
}

export const createHold = (task: ClaimedTask): Hold => {
  const controller = new AbortController()
  const bell = createBell()
  return {
    task,
    bell,
    signal: controller.signal,
    runs: new Map(),
    issueNumber: task.issueNumber,
    document: null,
    cancelRequested: false,
    sawRunning: false,
    isTracked: false,
    isEnding: false,
    confirmedAt: Number.NEGATIVE_INFINITY,
    fresh: new Set(),
    launchFailures: 0,
    progress: null,
    end(end) {
      controller.abort(new HoldEnded(end))
      bell.ring()
    },
  }
}

/** The tasks held now, by task id. */
export type Holds = Map<string, Hold>

/** Attempts whose agents may be at work for us. */
export const runningAttempts = (holds: Holds): string[] =>
  [...holds.values()].flatMap(({ runs }) => [...runs].filter(([, exit]) => exit === null).map(([attempt]) => attempt))
