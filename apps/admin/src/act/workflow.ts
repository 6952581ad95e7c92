import { userInfo } from 'node:os'
import { type Backend, eachItem, isStoreError, type Workflow } from '@nexus/core'
import { awaitsApproval, documentOf, type Order, type Steered, steerWorkflow, stepName } from '@nexus/engine'
import { z } from 'zod'
import { envelope } from '../cli/output.ts'

/** One workflow in a list. */
const WorkflowRow = z.object({
  id: z.string(),
  project: z.string().nullable(),
  issue: z.string().nullable(),
  state: z.string(),
  step: z.string().nullable().describe('the one whose turn it is'),
  agent: z.string().nullable(),
  waits_for_approval: z.boolean(),
  reason: z.string().nullable().describe('why it is paused or failed'),
  updated_at: z.iso.datetime(),
})
type WorkflowRow = z.output<typeof WorkflowRow>

/** What `workflow list --json` prints. */
export const Workflows = envelope({
  workflows: z.array(WorkflowRow),
  corrupt: z.array(z.string()).describe('ids of records that cannot be read'),
})
type Workflows = z.output<typeof Workflows>

/** What became of an order, as `workflow pause --json` and the others print it. */
export const SteeredOrder = envelope({
  id: z.string(),
  order: z.enum(['pause', 'resume', 'approve', 'reject', 'retry', 'cancel']),
  status: z
    .enum(['done', 'requested', 'absent', 'stranded', 'refused'])
    .describe('requested: its host ends the agent and then the workflow; stranded: done, but no task runs it on'),
  state: z.string().optional(),
  reason: z.string().optional(),
})

const rowOf = (workflow: Workflow): WorkflowRow => {
  const document = documentOf(workflow)
  const step = document.steps[workflow.currentStep]
  return {
    id: workflow.id,
    project: workflow.project,
    issue: workflow.issueNumber,
    state: workflow.state,
    step: step ? stepName(step) : null,
    agent: step?.agent.name || null,
    waits_for_approval: awaitsApproval(document),
    reason: workflow.state === 'paused' ? document.paused_reason : (document.failure?.error ?? null),
    updated_at: workflow.updatedAt.toISOString(),
  }
}

export const readWorkflows = async (
  { workflows }: Pick<Backend, 'workflows'>,
  filter: { state?: string | undefined; project?: string | undefined },
): Promise<Workflows> => {
  const found: Workflows = { version: 1, workflows: [], corrupt: [] }
  const list = async (page: object) => {
    const answer = await workflows.list({ ...page, ...filter })
    found.corrupt.push(...answer.corrupt.map(({ name }) => name))
    return answer
  }
  for await (const workflow of eachItem(list))
    try {
      found.workflows.push(rowOf(workflow))
    } catch (error) {
      if (!isStoreError(error, 'corrupt')) throw error
      found.corrupt.push(workflow.id)
    }
  return found
}

export const workflowsText = ({ workflows, corrupt }: Workflows): string =>
  [
    ...workflows.map(({ id, state, step, agent, reason }) =>
      [id, state, step === null ? '' : `at ${step}${agent ? ` (${agent})` : ''}`, reason ?? '']
        .filter(Boolean)
        .join('  '),
    ),
    ...corrupt.map((id) => `${id}  cannot be read`),
  ].join('\n') || 'No workflows.'

export type OrderWord = Order['type']

export interface OrderOptions {
  comment?: string
  by?: string
  step?: string
}

const orderOf = (type: OrderWord, { comment, by = userInfo().username, step }: OrderOptions): Order => {
  const at = new Date().toISOString()
  const reason = comment ?? `${type === 'pause' ? 'paused' : 'cancelled'} by ${by}`
  switch (type) {
    case 'pause':
    case 'cancel':
      return { type, at, reason }
    case 'approve':
    case 'reject':
      return { type, at, by, comment: comment ?? null }
    case 'retry':
      return { type, at, step: step ?? null }
    case 'resume':
      return { type, at }
  }
}

export const steer = async (
  stores: Pick<Backend, 'workflows' | 'inbox' | 'hostState'>,
  type: OrderWord,
  id: string,
  options: OrderOptions,
) => ({
  version: 1 as const,
  id,
  order: type,
  ...(await steerWorkflow(stores, id, orderOf(type, options))),
})

export const steeredText = (id: string, order: OrderWord, steered: Steered): string => {
  switch (steered.status) {
    case 'absent':
      return `There is no workflow ${id}. See: nexus-admin workflow list`
    case 'refused':
      return `${id} stays as it is: ${steered.reason}.`
    case 'requested':
      return `${id}: its host ends the agent and then the workflow.`
    case 'stranded':
      return `${id}: ${order} done; it is ${steered.state} now, but nothing runs it: ${steered.reason}.`
    case 'done': {
      const isAgain = order === 'retry' && steered.state === 'failed'
      return `${id}: ${order} done; it is ${steered.state} now${isAgain ? ', and its task is in the inbox again' : ''}.`
    }
  }
}
