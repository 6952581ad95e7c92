import type { Backend } from '@nexus/core'
import { documentOf, type Step, stepName } from '@nexus/engine'
import { z } from 'zod'
import type { Line } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import { fields, table } from '../cli/table.ts'
import { rowOf, WorkflowRow } from './workflow.ts'

const StepRow = z.object({
  number: z.int(),
  name: z.string(),
  agent: z.string(),
  status: z.string(),
  approval: z.string().nullable().describe('waiting, approved or rejected'),
  attempt: z.string().nullable().describe('its run, as logs name it'),
  runs: z.int().describe('earlier ones: of a loop, a retry, or interrupted'),
  launched_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  summary: z.string().nullable().describe('what its agent reported'),
  error: z.string().nullable(),
})

/** What `workflow show --json` prints. */
export const WorkflowShown = envelope({
  workflow: WorkflowRow.extend({
    name: z.string(),
    rev: z.string(),
    created_at: z.iso.datetime(),
    steps: z.array(StepRow),
    data: z.record(z.string(), z.json()).describe('the whole document'),
  }),
})
type WorkflowShown = z.output<typeof WorkflowShown>

const stepOf = (step: Step): z.output<typeof StepRow> => ({
  number: step.step_num,
  name: stepName(step),
  agent: step.agent.name,
  status: step.status,
  approval: step.approval?.status ?? null,
  attempt: step.attempt_id,
  runs: step.passes.length,
  launched_at: step.launched_at,
  completed_at: step.completed_at,
  summary: step.report?.summary ?? null,
  error: step.error,
})

export const readWorkflow = async (
  { workflows }: Pick<Backend, 'workflows'>,
  id: string,
): Promise<WorkflowShown | null> => {
  const workflow = await workflows.load(id)
  if (!workflow) return null
  const { name, rev, createdAt, data } = workflow
  const steps = documentOf(workflow).steps.map(stepOf)
  return { version: 1, workflow: { ...rowOf(workflow), name, rev, created_at: createdAt.toISOString(), steps, data } }
}

const columns = [
  { heading: 'step' },
  { heading: 'name' },
  { heading: 'agent' },
  { heading: 'status' },
  { heading: 'attempt' },
  { heading: 'launched' },
  { heading: 'said', shrinks: true },
]

export const workflowText = ({ workflow: { steps, data: _, ...row } }: WorkflowShown): Line[] => {
  const rows = steps.map(({ number, name, agent, status, approval, attempt, launched_at, summary, error }) => [
    String(number),
    name,
    agent,
    approval === 'waiting' ? `${status}, waits for approval` : status,
    attempt ?? '',
    launched_at?.slice(0, 19) ?? '',
    error ?? summary ?? '',
  ])
  return [...fields(row), '', ...table(columns, rows)]
}
