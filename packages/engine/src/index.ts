export { advance, isDue, nextDueMs } from './advance.ts'
export { checkWorkflow } from './check.ts'
export { awaitsApproval } from './control.ts'
export { createDocument, type NewWorkflow } from './create.ts'
export * from './definition.ts'
export {
  attemptsOf,
  contextOf,
  createAttemptId,
  currentStep,
  documentOf,
  type Holding,
  isAttemptId,
  readDocument,
  runningAttemptsOf,
  type Step,
  stepName,
  toData,
  type WorkflowDocument,
} from './document.ts'
export type { Advance, Effect, EngineEvent, Launch } from './event.ts'
export { decide, expressionProblem, type Verdict } from './expression.ts'
export { createGraph, type Exit, isMember } from './graph.ts'
export { linkTiers, listsFrom, type Workflows } from './link.ts'
export type { Path, Problem } from './problem.ts'
export { type ReadWorkflow, readWorkflow } from './read-definition.ts'
export { answers, whyNotAnswer } from './report.ts'
export { runsBeside } from './route.ts'
export { linkedTask, type Order, type Steered, steerWorkflow } from './steer.ts'
export { trackedIssuesKey, trackedMember } from './tracked-issue.ts'
export { meant } from './unknown-members.ts'
