export { advance, isDue, nextDueMs } from './advance.ts'
export { awaitsApproval } from './control.ts'
export { createDocument, type NewWorkflow } from './create.ts'
export * from './definition.ts'
export {
  attemptsOf,
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
export { answers, whyNotAnswer } from './report.ts'
