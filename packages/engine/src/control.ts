import { type Approval, runningAttemptsOf, type Step, type WorkflowDocument } from './document.ts'
import type { Advance, EngineEvent } from './event.ts'
import { unchanged } from './move.ts'
import { groupOf, leadOf } from './route.ts'

const isWaiting = (approval: Approval | null): approval is Approval => approval?.status === 'waiting'

/** Whether a person's word is what it waits for. */
export const awaitsApproval = ({ state, steps, merge_approval }: WorkflowDocument): boolean =>
  state === 'paused' && (isWaiting(merge_approval) || steps.some(({ approval }) => isWaiting(approval)))

const goOn = (document: WorkflowDocument): Advance => ({
  document: { ...document, state: 'running', paused_reason: null },
  effects: [],
})

const decideApprovals = (
  document: WorkflowDocument,
  { type, at, by, comment }: EngineEvent & { type: 'approve' | 'reject' },
): Advance => {
  if (!awaitsApproval(document)) return unchanged(document)
  const status = type === 'approve' ? 'approved' : 'rejected'
  const decided = <A extends Approval | null>(approval: A) =>
    isWaiting(approval) ? ({ ...approval, status, decided_at: at, by, comment } as const) : approval
  const steps = document.steps.map((step): Step => ({ ...step, approval: decided(step.approval) }))
  return goOn({ ...document, steps, merge_approval: decided(document.merge_approval) })
}

const withoutRejections = (document: WorkflowDocument): WorkflowDocument => ({
  ...document,
  merge_approval: document.merge_approval?.status === 'rejected' ? null : document.merge_approval,
  steps: document.steps.map(
    (step): Step => (step.approval?.status === 'rejected' ? { ...step, approval: null } : step),
  ),
})

/** From the step of this id, name or number: it and what stands behind it run again, of steps side by side it alone. */
const rewound = (document: WorkflowDocument, name: string): WorkflowDocument | null => {
  const from = document.steps.findIndex((step) => [step.id, step.name, String(step.step_num)].includes(name))
  const first = document.steps[from]
  if (!first) return null
  const lead = leadOf(document, from)
  const group = groupOf(document, lead)
  const isOfGroup = (index: number): boolean => (from === lead ? group.includes(index) : index === from)
  const steps = document.steps.map((step, index): Step => {
    const isBehind = index > lead && step.workflow === first.workflow && !group.includes(index)
    const isAgain = isBehind || isOfGroup(index)
    if (isAgain) return { ...step, status: 'pending', approval: null, error: null, retry_count: 0, retry_at: null }
    // What is passed over ends: its agent is stopped before the next one starts.
    return step.status === 'running' && !group.includes(index)
      ? { ...step, status: 'skipped', error: 'passed over by a person' }
      : step
  })
  return { ...document, steps, current_step: lead, merge_approval: null }
}

const retry = (document: WorkflowDocument, step: string | null): Advance => {
  if (!['failed', 'paused'].includes(document.state) || awaitsApproval(document)) return unchanged(document)
  const from = step === null ? withoutRejections(document) : rewound(document, step)
  if (!from) return unchanged(document)
  return document.state === 'paused' ? goOn(from) : { document: { ...from, failure: null }, effects: [] }
}

const cancel = (document: WorkflowDocument, { reason, at }: EngineEvent & { type: 'cancel' }): Advance => {
  if (!['pending', 'running', 'paused'].includes(document.state)) return unchanged(document)
  const steps = document.steps.map(
    (step): Step => (step.status === 'running' ? { ...step, status: 'failed', completed_at: at, error: reason } : step),
  )
  return {
    document: { ...document, steps, state: 'cancelled', completed_at: at },
    effects: [{ type: 'cancel-task', reason }],
  }
}

/** What a person says to a workflow. What does not fit its state changes nothing. */
export const control = (
  document: WorkflowDocument,
  event: EngineEvent & { type: 'pause' | 'resume' | 'approve' | 'reject' | 'retry' | 'cancel' },
): Advance => {
  switch (event.type) {
    case 'pause':
      if (document.state !== 'running') return unchanged(document)
      return {
        document: { ...document, state: 'paused', paused_reason: event.reason },
        effects: [{ type: 'pause-task', reason: event.reason }],
      }
    case 'resume':
      // What runs beside a step that waits for approval may go on; the approval is still asked for.
      return document.state === 'paused' && (!awaitsApproval(document) || runningAttemptsOf(document).length > 0)
        ? goOn(document)
        : unchanged(document)
    case 'approve':
    case 'reject':
      return decideApprovals(document, event)
    case 'retry':
      return retry(document, event.step)
    case 'cancel':
      return cancel(document, event)
  }
}
