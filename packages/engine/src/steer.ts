import { isJsonObject, type Stores, type Workflow } from '@nexus/core'
import { advance } from './advance.ts'
import { awaitsApproval } from './control.ts'
import { documentOf, toData, type WorkflowDocument } from './document.ts'
import type { EngineEvent } from './event.ts'
import { trackCancelled } from './tracked-issue.ts'

/** What a person says to a workflow. */
export type Order = EngineEvent & { type: 'pause' | 'resume' | 'approve' | 'reject' | 'retry' | 'cancel' }

export type Steered =
  /** `requested`: its host ends the agent and then the workflow. */
  | { status: 'done' | 'requested'; state: string }
  | { status: 'absent' }
  /** Done, but no task of the inbox runs it on; `reason` says why. */
  | { status: 'stranded'; state: string; reason: string }
  /** The order does not fit; `reason` says what would. */
  | { status: 'refused'; reason: string }

const fitting = {
  pause: 'only a running one can be paused',
  resume: 'only a paused one can go on',
  approve: 'nothing in it waits for approval',
  reject: 'nothing in it waits for approval',
  retry: 'only a failed or paused one can be tried again',
  cancel: 'it is over',
} as const satisfies Record<Order['type'], string>

const whyRefused = (document: WorkflowDocument, order: Order): string => {
  if (awaitsApproval(document)) return 'it waits for approval: approve or reject it'
  if (order.type === 'retry' && order.step !== null && ['failed', 'paused'].includes(document.state))
    return `it has no step ${JSON.stringify(order.step)}: ${document.steps.map(({ id, name }) => id ?? name).join(', ')}`
  return `it is ${document.state}, and ${fitting[order.type]}`
}

const save = async ({ workflows }: Pick<Stores, 'workflows'>, workflow: Workflow, document: WorkflowDocument) => {
  const { id, name, project, issueNumber, rev } = workflow
  const { state, current_step: currentStep } = document
  return workflows.save({ id, name, project, issueNumber, state, currentStep, data: toData(document) }, { ifRev: rev })
}

const taskIn = (metadata: Readonly<Record<string, unknown>>): string | null =>
  typeof metadata['inbox_task_id'] === 'string' ? metadata['inbox_task_id'] : null

/** The inbox task that the workflow works for. */
const taskOf = ({ metadata }: WorkflowDocument): string | null => taskIn(metadata)

/** The same of a stored workflow, whether its steps can be read or not. */
export const linkedTask = ({ data }: Pick<Workflow, 'data'>): string | null => {
  const metadata = data['metadata']
  return isJsonObject(metadata) ? taskIn(metadata) : null
}

const apply = async (stores: Pick<Stores, 'workflows'>, id: string, order: Order): Promise<Steered> => {
  for (;;) {
    const workflow = await stores.workflows.load(id)
    if (!workflow) return { status: 'absent' }
    const document = documentOf(workflow)
    const next = advance(document, order).document
    // A failed workflow whose failure is forgotten already only waits for its task.
    if (next === document) return { status: 'refused', reason: whyRefused(document, order) }
    if ((await save(stores, workflow, next)).status === 'saved') return { status: 'done', state: next.state }
  }
}

type SteerStores = Pick<Stores, 'workflows' | 'inbox' | 'hostState'>

const open: readonly string[] = ['pending', 'running', 'paused']

/**
 * A held task's host ends the agent first; one that nobody holds is over at once, and its workflow with it, of which the
 * state is saved last: until then a crash leaves one that can be cancelled again.
 */
const cancel = async (stores: SteerStores, id: string, order: Order): Promise<Steered> => {
  const workflow = await stores.workflows.load(id)
  if (!workflow) return { status: 'absent' }
  const task = taskOf(documentOf(workflow))
  const asked = task === null ? null : await stores.inbox.cancel(task)
  const { state, project, issueNumber } = workflow
  if (asked?.status === 'requested') return { status: 'requested', state }
  const isEnded = asked?.status === 'cancelled'
  if ((isEnded || open.includes(state)) && project !== null && issueNumber !== null)
    await trackCancelled(stores.hostState, { project, issueNumber })
  const steered = await apply(stores, id, order)
  // A failed one that waited for its retry stays failed: what was to come is cancelled.
  return isEnded && steered.status === 'refused' ? { status: 'done', state } : steered
}

/** Why no task runs the workflow on; null where one does. */
const whyStranded = async ({ inbox }: SteerStores, task: string | null): Promise<string | null> => {
  if (task === null) return 'no task of the inbox belongs to it'
  const answer = await inbox.requeue(task)
  if (answer.status === 'absent') return `its task ${task} is no longer in the inbox; bring it again`
  if (answer.status === 'duplicate') return `task ${answer.id} has taken the place of its task ${task} in the inbox`
  const isOver = answer.status === 'refused' && answer.is !== 'pending' && answer.is !== 'processing'
  return isOver ? `its task ${task} is ${answer.is}; bring it again` : null
}

/**
 * Does what a person says to a workflow, through the stores alone: the host that holds its task sees it at its next look.
 * A retry gives a dead letter back to the inbox; a crash between the two leaves a workflow to which it can be said again.
 */
export const steerWorkflow = async (stores: SteerStores, id: string, order: Order): Promise<Steered> => {
  if (order.type === 'cancel') return cancel(stores, id, order)
  const steered = await apply(stores, id, order)
  if (order.type !== 'retry' || steered.status !== 'done') return steered
  const workflow = await stores.workflows.load(id)
  if (!workflow) return { status: 'absent' }
  const reason = await whyStranded(stores, taskOf(documentOf(workflow)))
  return reason === null ? steered : { status: 'stranded', state: steered.state, reason }
}
