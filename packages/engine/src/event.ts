import type { Completion } from '@nexus/core'
import type { Holding, WorkflowDocument } from './document.ts'

/** A run that may begin. `attempt` is fresh in every event; only the saved document says which one counts. */
export interface Launch {
  attempt: string
  /** Revs of the completions that exist now. */
  baseline: string[]
  /** Not all of them: a backend is down. */
  isPartial: boolean
}

/** A person's change. `by`: who. */
type ControlEvent =
  | { type: 'pause'; reason: string }
  /** Goes on where it stands; what waits for an approval goes on waiting. */
  | { type: 'resume' }
  | { type: 'approve' | 'reject'; by: string; comment: string | null }
  /** From this step (id or name), or from where it stands, when the task runs again. */
  | { type: 'retry'; step: string | null }
  | { type: 'cancel'; reason: string }

export type EngineEvent = { /** ISO 8601. */ at: string } & (
  | ControlEvent
  /** Whatever may run now: at the beginning, after a pause, when a retry is due. */
  | { type: 'start'; launch: Launch; holding: Holding }
  | { type: 'report'; completion: Completion; launch: Launch; holding: Holding }
  /** All that was reported until now can be listed again, and none of it answers the step of this attempt. */
  | { type: 'baseline'; attempt: string; launch: Launch }
  | {
      type: 'agent-ended'
      attempt: string
      error: string
      fault: 'agent' | 'surroundings'
      launch: Launch
      holding: Holding
    }
  /** The runs of these attempts were never begun, and are not to be: their steps may be launched under others. */
  | { type: 'not-started'; attempts: readonly string[] }
  /** Its time is up. */
  | { type: 'deadline'; holding: Holding }
)

export type Effect =
  /** Start this agent, if this attempt was not started before. */
  | { type: 'launch'; step: string; attempt: string }
  | { type: 'complete-task' }
  | { type: 'fail-task'; error: string; fatal: boolean }
  | { type: 'pause-task'; reason: string }
  | { type: 'cancel-task'; reason: string }

export interface Advance {
  /** The same object where the event changed nothing. */
  document: WorkflowDocument
  effects: Effect[]
}
