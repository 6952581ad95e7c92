import type { CompletionInput, WorkflowInput } from '@nexus/core'

export const aWorkflow = (given: Partial<WorkflowInput> = {}): WorkflowInput => ({
  id: 'alpha-7-full',
  name: 'Fix the login',
  state: 'running',
  currentStep: 0,
  project: 'alpha',
  issueNumber: '7',
  data: { steps: [] },
  ...given,
})

export const aCompletion = (given: Partial<CompletionInput> = {}): CompletionInput => ({
  project: 'alpha',
  issueNumber: '7',
  agentType: 'developer',
  status: 'complete',
  summary: 'Done',
  payload: { verdict: 'good' },
  reportId: 'run-1',
  ...given,
})

export const present = <T>(value: T | null | undefined): T => {
  if (value === null || value === undefined) throw new Error('There is nothing.')
  return value
}
