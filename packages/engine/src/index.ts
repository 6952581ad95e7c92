export { type Advance, advance, type Effect, type EngineEvent, type Launch } from './advance.ts'
export { createDocument, type NewWorkflow } from './create.ts'
export * from './definition.ts'
export {
  attemptsOf,
  createAttemptId,
  currentStep,
  documentOf,
  type Failure,
  isAttemptId,
  readDocument,
  type Step,
  stepName,
  toData,
  type WorkflowDocument,
} from './document.ts'
export { decide, expressionProblem, type Verdict } from './expression.ts'
export { answers, whyNotAnswer } from './report.ts'
