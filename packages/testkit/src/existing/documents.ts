import type { EarlierValue } from './earlier-json.ts'

export type EarlierDocument = { [member: string]: EarlierValue }

/** A moment as the earlier implementation writes it: ISO 8601 with microseconds and offset. */
export const moment = (day: number, fraction = '123456'): string =>
  `2025-03-${String(day).padStart(2, '0')}T09:15:02.${fraction}+00:00`

const step = (step_num: EarlierValue, name: string, more: EarlierDocument = {}): EarlierDocument => ({
  step_num,
  name,
  agent: {
    name,
    display_name: `${name} \u{1F916}`,
    description: 'Liest die Änderung',
    timeout: 600,
    max_retries: 3,
  },
  prompt_template: 'Work on {issue}',
  condition: null,
  timeout: null,
  retry: 2,
  backoff_strategy: 'exponential',
  initial_delay: 1.5,
  inputs: {},
  outputs: { key_findings: ['a', 'b'] },
  status: 'pending',
  started_at: null,
  completed_at: null,
  error: null,
  retry_count: 0,
  require_human_approval: false,
  approval_gates: [],
  // biome-ignore lint/suspicious/noThenProperty: the documented word of a route
  routes: [{ when: "review_status == 'approved'", then: 'deploy' }, { default: 'develop' }],
  on_success: null,
  final_step: false,
  iteration: 0,
  parallel_with: [],
  ...more,
})

/** The full serialized workflow, as the column and the file hold it. */
export const workflowDocument = (id: string, state: string, more: EarlierDocument = {}): EarlierDocument => ({
  id,
  name: `Größe prüfen ${id}`,
  version: '1.0',
  description: 'Prüft 日本語',
  state,
  current_step: 1,
  created_at: moment(1),
  updated_at: moment(2),
  completed_at: state === 'completed' ? moment(3) : null,
  metadata: { definition: { apiVersion: 'v1', kind: 'Workflow', steps: [{ id: 'triage', agent_type: 'triage' }] } },
  require_human_merge_approval: true,
  require_approval_for: [],
  steps: [
    step(0, 'triage', { status: 'completed', started_at: moment(1), completed_at: moment(2) }),
    step(1, 'developer', { status: state === 'failed' ? 'failed' : 'running', started_at: moment(2) }),
    step(2, 'reviewer', { final_step: true, parallel_with: [1] }),
  ],
  ...more,
})

/** What agents got wrong and the earlier implementation kept: a step number as text, `@agent`, findings that are no list. */
export const wrongSteps = (): EarlierDocument => ({
  current_step: '1',
  steps: [
    step('0', '@triage', { status: 'completed', outputs: { key_findings: 'none at all' } }),
    step('1', '@developer', { agent: '@developer', status: 'skipped' }),
  ],
})

/** A completion summary as an agent wrote it. */
export const summaryDocument = (issue: EarlierValue, agent: string, more: EarlierDocument = {}): EarlierDocument => ({
  issue_number: issue,
  agent_type: agent,
  status: 'complete',
  summary: `Erledigt: ${agent} – ✓`,
  key_findings: ['one', 'zwei ü'],
  effort_breakdown: { reading: '5 min' },
  verdict: 'ok',
  next_agent: 'reviewer',
  alignment_score: 0.75,
  review_status: 'approved',
  ...more,
})

/** `launched_agents` in the two shapes that stand side by side in the field. */
export const launchedAgents = (): EarlierDocument => ({
  '42': { pid: 4711, tier: 'full', agent_type: 'developer', timestamp: 1740820502.123456, mode: 'rück' },
  '42_reviewer': 1740820600.5,
  'web/42': { last_launch: moment(4), pid: '4712', exclude_tools: ['bash'] },
})

export const trackedIssues = (): EarlierDocument => ({
  '42': { project: 'web', description: 'Größe', created_at: moment(1), status: 'active', last_seen_state: null },
})
