import type { JsonObject } from '@nexus/core'
import { defaultMaxIterations, type LinkedWorkflow, type StepDefinition } from './definition.ts'
import { readDocument, type WorkflowDocument } from './document.ts'

export interface NewWorkflow extends LinkedWorkflow {
  id: string
  name: string
  project: string
  issueNumber: string
  description: string
  metadata: JsonObject
}

const stepOf = (step: StepDefinition, workflow: string | null, index: number) => ({
  ...step.context,
  step_num: index + 1,
  id: step.id,
  name: step.name,
  agent: { name: step.agentType ?? '', display_name: step.agentType ?? '' },
  prompt_template: step.prompt,
  timeout: step.timeoutMs === null ? null : step.timeoutMs / 1000,
  status: 'pending',
  condition: step.condition,
  on_success: step.onSuccess,
  routes: step.routes.map(({ when, to }) =>
    when === null
      ? { default: to }
      : Object.fromEntries([
          ['when', when],
          ['then', to],
        ]),
  ),
  parallel_with: [...step.parallel],
  final_step: step.finalStep,
  require_human_approval: step.requireApproval,
  retry: step.retry?.maxRetries ?? null,
  backoff_strategy: step.retry?.backoff ?? null,
  initial_delay: step.retry === null ? null : step.retry.initialDelayMs / 1000,
  max_iterations: step.maxIterations ?? defaultMaxIterations,
  workflow,
})

/** A workflow that has not begun. It carries its definitions: later edits of a file change no running workflow. */
export const createDocument = ({
  definition,
  others,
  metadata,
  issueNumber,
  ...given
}: NewWorkflow): WorkflowDocument => {
  const steps = [
    ...definition.steps.map((step) => ({ step, workflow: null })),
    ...others.flatMap(({ name, steps }) => steps.map((step) => ({ step, workflow: name }))),
  ]
  return readDocument({
    ...given,
    issue_number: issueNumber,
    version: definition.version,
    state: 'pending',
    current_step: 0,
    completed_at: null,
    timeout_seconds: definition.timeoutMs === null ? null : definition.timeoutMs / 1000,
    require_human_merge_approval: definition.requireMergeApproval,
    metadata: { ...metadata, definition: definition.name },
    steps: steps.map(({ step, workflow }, index) => stepOf(step, workflow, index)) as unknown as JsonObject[],
  })
}
