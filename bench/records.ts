import type { Backend, CompletionRecord, InboxRecord, Records } from '@nexus/core'

const agents = ['planner', 'developer', 'reviewer', 'tester']
const at = (n: number): Date => new Date(Date.UTC(2026, 0, 1) + n)

/** The n-th completion; an issue has one of each agent. */
export const completionOf = (n: number): CompletionRecord => {
  const [issueNumber, agentType] = [String(Math.floor(n / agents.length)), agents[n % agents.length] ?? '']
  return {
    dedupKey: `${issueNumber}:${agentType}:complete`,
    project: 'shop',
    issueNumber,
    agentType,
    status: 'complete',
    summary: `Step ${n} is done`,
    reportId: `attempt-${n}`,
    data: JSON.stringify({ agent_type: agentType, summary: `Step ${n} is done`, key_findings: ['x'.repeat(300)] }),
    seq: n + 1,
    createdAt: at(n),
    savedAt: at(n),
  }
}

/** The n-th task, due and pending. */
export const taskOf = (n: number): InboxRecord => ({
  id: `0h${n.toString(36).padStart(10, '0')}`,
  project: `project-${n % 10}`,
  workspace: '',
  filename: `task-${n}.md`,
  markdown: `**Issue:** ${n}\n\n${'The cart forgets what was put in. '.repeat(5)}`,
  status: 'pending',
  priority: 0,
  runAt: at(n),
  attempts: 0,
  recoveries: 0,
  maxAttempts: 3,
  idempotencyKey: null,
  issueNumber: null,
  error: null,
  cancelRequested: false,
  createdAt: at(n),
  processedAt: null,
  epoch: 0,
  hold: null,
})

export const recordsOf = ({ records }: Backend): Records => {
  if (!records) throw new Error('the backend gives no whole records')
  return records
}
