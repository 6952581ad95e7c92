import { expect, test } from 'vitest'
import {
  checkCompletionNames,
  dedupKey,
  dropModifiedMs,
  dropReportId,
  projectDedupKey,
  readReport,
  readReportText,
} from '../src/index.ts'

const identity = { project: 'alpha', issueNumber: '7', agentType: 'developer', status: 'complete' }
const report = { issue_number: '7', agent_type: 'developer', status: 'complete', summary: 'Done' }

test('[C-COMPLETION-2] the documented key, and the one with the project before it', () => {
  expect(dedupKey(identity)).toBe('7:developer:complete')
  expect(projectDedupKey(identity)).toBe('alpha/7:developer:complete')
})

test('[C-COMPLETION-2] no part can hold what separates the parts, so no two identities share a key', () => {
  expect(() => checkCompletionNames(identity)).not.toThrow()
  for (const part of ['project', 'issueNumber', 'agentType'])
    for (const name of ['a:b', 'a/b', '']) expect(() => checkCompletionNames({ ...identity, [part]: name })).toThrow()
})

test('[C-COMPLETION-5] a report is kept verbatim beside what was read from it', () => {
  const payload = { ...report, attempt_id: 'a1', extra: { deep: [1] } }
  expect(readReport(payload)).toEqual({
    ok: true,
    report: { issueNumber: '7', agentType: 'developer', status: 'complete', summary: 'Done', payload, attemptId: 'a1' },
  })
})

test.each([
  ['a number for the issue', { issue_number: 7 }, { issueNumber: '7' }],
  ['an @ before the agent', { agent_type: '@developer' }, { agentType: 'developer' }],
  ['no status', { status: undefined }, { status: 'complete' }],
  ['an empty status', { status: '' }, { status: 'complete' }],
  ['a word for complete', { status: ' Done ' }, { status: 'complete' }],
  ['an underscore', { status: 'in_progress' }, { status: 'in-progress' }],
  ['blocked', { status: 'BLOCKED' }, { status: 'blocked' }],
  ['several lines', { summary: 'first\r\nsecond' }, { summary: 'first' }],
  ['NUL and lone surrogates', { summary: 'a\0b\uD800' }, { summary: 'a\uFFFDb\uFFFD' }],
  ['an empty summary', { summary: '' }, { summary: '' }],
  ['a number for the attempt', { attempt_id: 12 }, { attemptId: '12' }],
  ['an empty attempt', { attempt_id: '' }, { attemptId: null }],
])('[C-COMPLETION-11] a report with %s is read', (_, change, read) => {
  const payload = JSON.parse(JSON.stringify({ ...report, ...change })) as typeof report
  expect(readReport(payload)).toMatchObject({ ok: true, report: read })
})

test.each([
  ['nothing', null, /not a JSON object/],
  ['a list', [report], /not a JSON object/],
  ['no agent', { ...report, agent_type: '' }, /agent_type/],
  ['an agent that is no name', { ...report, agent_type: 'a/b' }, /agent_type holds a path separator/],
  ['no issue', { ...report, issue_number: null }, /issue_number/],
  ['an issue that is no name', { ...report, issue_number: '../7' }, /issue_number/],
  ['an unknown status', { ...report, status: 'constructor' }, /status "constructor"/],
  ['no summary', { ...report, summary: ['x'] }, /summary/],
])('[C-COMPLETION-11] a report with %s is refused with the reason', (_, payload, reason) => {
  expect(readReport(payload as typeof report)).toEqual({ ok: false, reason: expect.stringMatching(reason) })
})

test('[C-COMPLETION-11] text: the file’s name says the issue; cut or empty text is refused', () => {
  const { issue_number: _, ...rest } = report
  const known = { issueNumber: '9' }
  expect(readReportText(`\uFEFF${JSON.stringify(rest)}`, known)).toMatchObject({
    ok: true,
    report: { issueNumber: '9' },
  })
  for (const text of ['', '{"agent_type": "dev', 'null'])
    expect(readReportText(text, known)).toMatchObject({ ok: false })
})

test('[C-COMPLETION-10] the report id of a drop tells one writing from the next, and when it was', () => {
  expect(dropReportId(1234.9, 'abcdef0123456789ffff')).toBe('drop:1234:abcdef0123456789')
  expect(dropReportId(1234, 'aa')).not.toBe(dropReportId(1235, 'aa'))
  expect(dropModifiedMs(dropReportId(1234, 'aa'))).toBe(1234)
  for (const other of ['attempt-1', 'drop:', 'drop:x:aa', 'xdrop:1:aa']) expect(dropModifiedMs(other)).toBeNull()
})
