import { type Backend, isStoreError, type Workflow } from '@nexus/core'
import { awaitsApproval, documentOf, stepName } from '@nexus/engine'
import { z } from 'zod'
import type { Line } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import { PageCursor, type Paging } from '../cli/paging.ts'
import { table } from '../cli/table.ts'

/** One workflow in a list. */
export const WorkflowRow = z.object({
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
  cursor: PageCursor,
})
type Workflows = z.output<typeof Workflows>

export const rowOf = (workflow: Workflow): WorkflowRow => {
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

export interface WorkflowFilterOptions {
  state?: string
  project?: string
}

/** Null where its steps cannot be read. */
const rowOrNull = (workflow: Workflow): WorkflowRow | null => {
  try {
    return rowOf(workflow)
  } catch (error) {
    if (!isStoreError(error, 'corrupt')) throw error
    return null
  }
}

export const readWorkflows = async (
  { workflows }: Pick<Backend, 'workflows'>,
  { state, project, limit, cursor }: WorkflowFilterOptions & Paging,
): Promise<Workflows> => {
  const page = await workflows.list({ state, project, limit, cursor })
  const found: Workflows = {
    version: 1,
    workflows: [],
    corrupt: page.corrupt.map(({ name }) => name),
    cursor: page.cursor,
  }
  for (const workflow of page.items) {
    const row = rowOrNull(workflow)
    if (row) found.workflows.push(row)
    else found.corrupt.push(workflow.id)
  }
  return found
}

const columns = [
  { heading: 'id' },
  { heading: 'state' },
  { heading: 'step' },
  { heading: 'agent' },
  { heading: 'updated' },
  { heading: 'reason', shrinks: true },
]

export const workflowsText = ({ workflows, corrupt }: Workflows): Line[] => {
  const rows = workflows.map(({ id, state, step, agent, updated_at, reason }) => [
    id,
    state,
    step ?? '',
    agent ?? '',
    updated_at.slice(0, 19),
    reason ?? '',
  ])
  const broken = corrupt.map((id) => `${id}  cannot be read`)
  if (rows.length + broken.length === 0) return ['No workflows.']
  return [...(rows.length > 0 ? table(columns, rows) : []), ...broken]
}
