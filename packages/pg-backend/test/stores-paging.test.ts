import type { Page } from '@nexus/core'
import { expect, test } from 'vitest'
import { earlierTables } from './earlier.ts'
import { usePostgres } from './harness.ts'
import { aCompletion } from './samples.ts'

const open = usePostgres()
const openEarlier = usePostgres({
  before: `${earlierTables}
    INSERT INTO nexus_completions (issue_number, agent_type, status, summary_text, data, dedup_key, created_at)
    SELECT n, 'developer', 'complete', 'old', '{}', n || ':wf:step:developer', '2026-01-01Z'::timestamptz - n * interval '1 day'
    FROM generate_series(1, 5) AS n;`,
})

const all = async <T>(next: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> => {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const page = await next(cursor)
    items.push(...page.items)
    cursor = page.cursor ?? undefined
  } while (cursor !== undefined)
  return items
}

test('[C-ALL-8] rows that differ by microseconds are each listed once', async () => {
  await using t = await open()
  await t.sql.query(
    `INSERT INTO nexus_workflows (id, name, state, current_step, data, created_at)
     SELECT 'w' || n, 'w', 'running', 0, '{}', '2026-01-01Z'::timestamptz + n * interval '1 microsecond'
     FROM generate_series(10, 29) AS n`,
  )
  await t.sql.query(
    `INSERT INTO nexus_task_files (project, filename, content, state, created_at)
     SELECT 'alpha', 'f' || n, '', 'active', '2026-01-01Z'::timestamptz + n / 2 * interval '1 microsecond'
     FROM generate_series(10, 29) AS n`,
  )
  const numbers = Array.from({ length: 20 }, (_, index) => 29 - index)
  const workflows = await all((cursor) => t.backend.workflows.list({ cursor, limit: 3 }))
  expect(workflows.map(({ id }) => id)).toEqual(numbers.map((n) => `w${n}`))
  const files = await all((cursor) => t.backend.taskFiles.list({ cursor, limit: 3 }))
  expect(files.map(({ filename }) => filename)).toEqual(numbers.map((n) => `f${n}`))
})

test('[C-WORKFLOW-5] a project is found where only the document names it, and pages stay full', async () => {
  await using t = await open()
  await t.sql.query(
    `INSERT INTO nexus_workflows (id, name, state, current_step, data)
     SELECT 'w' || n, 'w', 'running', 0, '{"project": "' || (ARRAY['alpha', 'beta', 'gamma'])[n % 3 + 1] || '"}'
     FROM generate_series(1, 90) AS n`,
  )
  const { workflows } = t.backend
  const first = await workflows.list({ project: 'beta', limit: 7 })
  expect(first.items).toHaveLength(7)
  const found = await all((cursor) => workflows.list({ project: 'beta', cursor, limit: 7 }))
  expect(found).toHaveLength(30)
  expect(new Set(found.map(({ project }) => project))).toEqual(new Set(['beta']))
  expect(new Set(found.map(({ id }) => id)).size).toBe(30)
  const last = await workflows.list({ project: 'beta', limit: 30 })
  expect(last).toMatchObject({ cursor: null, items: { length: 30 } })
})

test('[C-COMPLETION-6] an issue with more records than a page looks at hides no other, in any list', async () => {
  await using t = await openEarlier()
  const { completions } = t.backend
  for (const issueNumber of ['8', '9']) await completions.save(aCompletion({ issueNumber }))
  await t.sql.query(
    `INSERT INTO nexus_completions (project, issue_number, agent_type, status, summary_text, data, dedup_key)
     SELECT CASE n % 2 WHEN 0 THEN 'alpha' END, '7', 'a' || n, 'complete', '', '{}', 'k' || n FROM generate_series(1, 21000) AS n`,
  )
  const scanned = await all((cursor) => completions.scan({ cursor, limit: 2 }))
  expect(scanned.map(({ issueNumber }) => issueNumber)).toEqual(['7', '7', '9', '8', '1', '2', '3', '4', '5'])
  const ofAlpha = await all((cursor) => completions.scan({ project: 'alpha', cursor, limit: 2 }))
  expect(ofAlpha.map(({ issueNumber }) => issueNumber)).toEqual(['7', '9', '8'])
  const ofNobody = await all((cursor) => completions.scan({ project: null, cursor, limit: 1 }))
  expect(ofNobody.map(({ issueNumber }) => issueNumber)).toEqual(['7', '1', '2', '3', '4', '5'])
  const ofIssue = await all((cursor) => completions.scan({ issueNumber: '7', cursor, limit: 1 }))
  expect(ofIssue.map(({ agentType }) => agentType)).toEqual(['a21000', 'a20999'])
})

test('[C-COMPLETION-6] rows from before the order of saving come last, newest first, and pages go across', async () => {
  await using t = await openEarlier()
  const { completions } = t.backend
  for (const issueNumber of ['8', '9', '10']) await completions.save(aCompletion({ issueNumber }))
  await completions.save(aCompletion({ issueNumber: '8', reportId: 'run-2' }))
  const found = await all((cursor) => completions.scan({ cursor, limit: 2 }))
  expect(found.map(({ issueNumber }) => issueNumber)).toEqual(['8', '10', '9', '1', '2', '3', '4', '5'])
})
