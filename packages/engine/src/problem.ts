/** Members and indexes from the top of what was written to the place that is meant. */
export type Path = readonly PropertyKey[]

/** What is wrong, or looks wrong, with a workflow. `path` begins at the workflow as it is written. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly path: Path
  /** Says what to do as well. */
  readonly message: string
}

/** What is wrong with one step of a linked workflow. */
export interface StepProblem {
  readonly severity: Problem['severity']
  /** Name of the workflow in whose list it stands. */
  readonly workflow: string
  /** Its id. */
  readonly step: string
  /** From the list of steps: its index first. */
  readonly path: Path
  readonly message: string
}

export const problem = (severity: Problem['severity'], path: Path, message: string): Problem => ({
  severity,
  path,
  message,
})
