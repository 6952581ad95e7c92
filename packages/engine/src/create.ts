import type { JsonObject } from '@nexus/core'
import type { WorkflowDefinition } from './definition.ts'
import { readDocument, type WorkflowDocument } from './document.ts'

export interface NewWorkflow {
  id: string
  name: string
  project: string
  issueNumber: string
  description: string
  definition: WorkflowDefinition
  metadata: JsonObject
}

/** A workflow that has not begun. It carries its definition: later edits of `nexus.yaml` change no running workflow. */
export const createDocument = ({ definition, metadata, issueNumber, ...given }: NewWorkflow): WorkflowDocument =>
  readDocument({
    ...given,
    issue_number: issueNumber,
    version: definition.version,
    state: 'pending',
    current_step: 0,
    completed_at: null,
    metadata: { ...metadata, definition: definition.name },
    steps: definition.steps.map((step, index) => ({
      step_num: index + 1,
      id: step.id,
      name: step.name,
      agent: { name: step.agentType ?? '', display_name: step.agentType ?? '' },
      prompt_template: step.prompt,
      timeout: step.timeoutMs === null ? null : step.timeoutMs / 1000,
      status: 'pending',
      on_success: step.onSuccess,
      final_step: step.finalStep,
    })),
  })
