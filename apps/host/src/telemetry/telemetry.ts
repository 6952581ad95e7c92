import type { TaskOutcome } from '../task/finish.ts'

/**
 * What became of a report: it answered a step, said how far one is, was kept and advances nothing, or was not taken in.
 */
type ReportResult = 'answered' | 'progress' | 'not_counted' | 'refused'

/** What the parts of the host tell of their work, to be counted. Nothing waits for it, and nothing depends on it. */
export interface Telemetry {
  /** This host let go of a task. */
  taskEnded(project: string, outcome: TaskOutcome['status']): void
  /** A step has an answer, or its agent ended without one; counted from the agent's launch. */
  stepEnded(agent: string, seconds: number): void
  /** A step that ran before without an answer starts again. */
  stepRetried(): void
  reported(result: ReportResult): void
  /** Agents of this role are not started for now, or are again. */
  fuseChanged(agent: string, isBlown: boolean): void
}
