import { invalid } from './errors.ts'

export const workflowStates = ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const
export type WorkflowState = (typeof workflowStates)[number]

/** Where a person or program may go from each state; staying is always allowed. [C-WORKFLOW-3] */
export const workflowTransitions = {
  pending: ['running', 'cancelled'],
  running: ['paused', 'completed', 'failed', 'cancelled'],
  paused: ['running', 'failed', 'cancelled'],
  failed: ['running'],
  cancelled: ['running'],
  completed: [],
} as const satisfies Record<WorkflowState, readonly WorkflowState[]>

/** States that are over unless a person says otherwise: counts of them may be floors. */
export const terminalWorkflowStates: readonly string[] = ['completed', 'failed', 'cancelled']

export const isWorkflowState = (state: string): state is WorkflowState =>
  (workflowStates as readonly string[]).includes(state)

/**
 * Throws `invalid` unless a workflow may go from one state to the other. `from` null: creation, in any known state.
 * An unknown state found in data may stay or go anywhere known.
 */
export const checkTransition = (id: string, from: string | null, to: string, reopen = false): void => {
  if (from === to) return
  if (!isWorkflowState(to))
    throw invalid(`Workflow ${id}: unknown state "${to}". Use one of ${workflowStates.join(', ')}.`)
  if (from === null || !isWorkflowState(from)) return
  if (from === 'completed' && to === 'running' && reopen) return
  const allowed: readonly string[] = workflowTransitions[from]
  if (allowed.includes(to)) return
  const hint = from === 'completed' ? ' A completed workflow only runs again when it is reopened.' : ''
  throw invalid(`Workflow ${id} cannot go from "${from}" to "${to}".${hint}`)
}
