import { listRuns, type RunSummary, readRun } from '@nexus/host/runs'
import { z } from 'zod'
import type { Line } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import { table } from '../cli/table.ts'

const Run = z.object({
  attempt: z.string(),
  project: z.string().nullable(),
  issue: z.string().nullable(),
  workflow: z.string().nullable(),
  step: z.string().nullable(),
  agent: z.string().nullable(),
  status: z
    .enum(['prepared', 'running', 'lost', 'ended'])
    .describe('lost: its supervisor is gone without a word; a host settles it at its next look'),
  prepared_at: z.iso.datetime(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  reason: z
    .string()
    .nullable()
    .describe('of its end: exited, timeout, lease-expired, stopped, spawn-failed, supervisor-lost'),
  code: z.int().nullable(),
  signal: z.string().nullable(),
})

/** What `agent ls --json` prints. */
export const AgentList = envelope({ runs: z.array(Run), left_out: z.int().describe('further ones, by --limit') })
type AgentList = z.output<typeof AgentList>

const rowOf = (run: RunSummary): z.output<typeof Run> => ({
  attempt: run.attempt,
  project: run.project,
  issue: run.issue,
  workflow: run.workflow,
  step: run.step,
  agent: run.agent,
  status: run.status,
  prepared_at: run.preparedAt.toISOString(),
  started_at: run.startedAt,
  ended_at: run.exit?.endedAt ?? null,
  reason: run.exit?.reason ?? null,
  code: run.exit?.code ?? null,
  signal: run.exit?.signal ?? null,
})

export interface AgentFilter {
  all?: boolean
  project?: string
  limit: number
}

/** The runs of this machine's root, the latest first: those that are not over, or all of them. */
export const readAgents = async (root: string, { all = false, project, limit }: AgentFilter): Promise<AgentList> => {
  const found: RunSummary[] = []
  for (const attempt of await listRuns(root)) {
    const run = await readRun(root, attempt)
    if (run && (all || run.status !== 'ended') && (project === undefined || run.project === project)) found.push(run)
  }
  found.sort((a, b) => b.preparedAt.getTime() - a.preparedAt.getTime())
  return { version: 1, runs: found.slice(0, limit).map(rowOf), left_out: Math.max(0, found.length - limit) }
}

const columns = [
  { heading: 'attempt' },
  { heading: 'project' },
  { heading: 'issue' },
  { heading: 'step' },
  { heading: 'agent' },
  { heading: 'status' },
  { heading: 'started' },
  { heading: 'end', shrinks: true },
]

export const agentsText = ({ runs, left_out }: AgentList): Line[] => {
  if (runs.length === 0) return ['No agents.']
  const rows = runs.map((run) => [
    run.attempt,
    run.project ?? '',
    run.issue ?? '',
    run.step ?? '',
    run.agent ?? '',
    run.status,
    run.started_at?.slice(0, 19) ?? '',
    run.reason === null ? '' : `${run.reason} ${run.signal ?? run.code ?? ''}`.trim(),
  ])
  return [...table(columns, rows), ...(left_out > 0 ? [`and ${left_out} more`] : [])]
}
