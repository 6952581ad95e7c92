import type { Completion, LogFields } from '@nexus/core'
import { createAttemptId, readDocument, type WorkflowDocument } from '@nexus/engine'
import { expect, test } from 'vitest'
import { createExplain } from '../src/intake/explain.ts'

const [present, earlier, elsewhere] = [
  createAttemptId('00000001'),
  createAttemptId('00000002'),
  createAttemptId('00000003'),
]

const document: WorkflowDocument = readDocument({
  id: 'shop-5-feature',
  state: 'running',
  current_step: 1,
  steps: [
    { step_num: 1, id: 'triage', agent: { name: 'triage' }, status: 'completed', attempt_id: earlier },
    {
      step_num: 2,
      id: 'develop',
      agent: { name: 'developer' },
      status: 'running',
      attempt_id: present,
      launched_at: '2026-01-01T00:00:00.000Z',
      baseline: ['known'],
    },
  ],
})
const step = document.steps[1] ?? expect.unreachable()

const report = (members: Partial<Completion> = {}): Completion => ({
  project: 'shop',
  issueNumber: '5',
  agentType: 'developer',
  status: 'complete',
  summary: 'Done.',
  payload: {},
  reportId: present,
  dedupKey: '5:developer:complete',
  createdAt: new Date(0),
  savedAt: new Date(0),
  rev: 'r1',
  ...members,
})

const explained = (...looks: Completion[][]): [string, LogFields][] => {
  const said: [string, LogFields][] = []
  const logger = { info: (message: string, fields: LogFields = {}) => void said.push([message, fields]) }
  const explain = createExplain(logger, { reported() {} })
  for (const records of looks) explain(document, step, records)
  return said
}

test.each([
  ['a late one', { reportId: earlier }, { why: 'it is about another run', of_step: 'triage', run: earlier }],
  ['a foreign one', { reportId: elsewhere }, { why: 'it is about another run', of_step: null, run: elsewhere }],
  ['another role', { agentType: 'reviewer' }, { why: 'its agent_type is "reviewer"', agent: 'reviewer' }],
  ['another step', { payload: { step_id: 'review' } }, { why: 'its step_id is "review"' }],
  ['another status', { status: 'odd' }, { why: 'its status is "odd"' }],
])('%s is explained: whose it is, and why it does not count', (_, members, fields) => {
  const about = { project: 'shop', issue: '5', waiting_for: 'develop', ...fields }
  expect(explained([report(members)])).toEqual([['report does not count', expect.objectContaining(about)]])
})

test('once per report, not per look; a new one of the same agent is explained again', () => {
  const late = report({ reportId: earlier })
  expect(explained([late], [late, late], [{ ...late, rev: 'r2' }])).toHaveLength(2)
})

test('the answer, and what was there before the launch, need no explanation', () => {
  expect(explained([report(), report({ rev: 'known', reportId: earlier })])).toEqual([])
})

test('progress is shown', () => {
  const progress = report({ status: 'in-progress', summary: 'Half of it.' })
  expect(explained([progress], [progress])).toEqual([
    ['agent reports', expect.objectContaining({ agent: 'developer', summary: 'Half of it.' })],
  ])
})
