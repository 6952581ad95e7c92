import { expect, test } from 'vitest'
import { type PgHarness, usePostgres } from './harness.ts'
import { aCompletion, aWorkflow } from './samples.ts'

const open = usePostgres()

const tally = (values: readonly string[]): Record<string, number> => {
  const counted: Record<string, number> = {}
  for (const value of values) counted[value] = (counted[value] ?? 0) + 1
  return counted
}

const times = Array.from({ length: 20 }, (_, index) => index)

test('[C-COMPLETION-2] projects that race for the documented key all get a record, one of them under it', async () => {
  await using t = await open()
  const backends = [t.backend, await t.peer(), await t.peer()]
  const projects = times.map((n) => `project-${n}`)
  const results = await Promise.all(
    projects.map((project, n) => (backends[n % 3] ?? t.backend).completions.save(aCompletion({ project }))),
  )
  expect(tally(results.map(({ status }) => status))).toEqual({ created: 20 })
  expect(new Set(results.map((result) => result.dedupKey)).size).toBe(20)
  expect(results.filter((result) => result.dedupKey === '7:developer:complete')).toHaveLength(1)
  const { items } = await t.backend.completions.scan()
  expect(new Set(items.map(({ project }) => project))).toEqual(new Set(projects))
})

/** Resolves once a statement waits for a lock that another session holds. */
const untilBlocked = async ({ sql }: PgHarness): Promise<void> => {
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  while ((await sql.query(waiting)).rows.length === 0);
}

test.each([
  ['keeps it', 'COMMIT', 'alpha/7:developer:complete'],
  ['gives it up', 'ROLLBACK', '7:developer:complete'],
])('[C-COMPLETION-2] a save waits for another program that is taking the key, which %s', async (_, end, dedupKey) => {
  await using t = await open()
  const other = await t.sql.connect()
  await other.query(
    `BEGIN; INSERT INTO nexus_completions (issue_number, agent_type, dedup_key) VALUES ('7', 'x', '7:developer:complete')`,
  )
  const saving = t.backend.completions.save(aCompletion())
  await untilBlocked(t)
  await other.query(end)
  other.release()
  expect(await saving).toEqual({ status: 'created', dedupKey })
})

test('[C-COMPLETION-1] racing reports of one identity are one record, created once', async () => {
  await using t = await open()
  const backends = [t.backend, await t.peer(), await t.peer()]
  const results = await Promise.all(
    times.map((n) => (backends[n % 3] ?? t.backend).completions.save(aCompletion({ reportId: `run-${n}` }))),
  )
  expect(tally(results.map(({ status }) => status))).toEqual({ created: 1, updated: 19 })
  expect((await t.sql.query('SELECT dedup_key FROM nexus_completions')).rows).toEqual([
    { dedup_key: '7:developer:complete' },
  ])
})

test('[C-COMPLETION-3] the same report from many processes at once is written once', async () => {
  await using t = await open()
  const backends = [t.backend, await t.peer(), await t.peer()]
  const results = await Promise.all(times.map((n) => (backends[n % 3] ?? t.backend).completions.save(aCompletion())))
  expect(tally(results.map(({ status }) => status))).toEqual({ created: 1, unchanged: 19 })
})

test('[C-COMPLETION-8] racing assigns end with one owner', async () => {
  await using t = await open()
  const row = { issueNumber: '7', agentType: 'developer', status: 'complete', summary: 'Done', data: '{}' }
  await t.foreign.insertCompletion({ project: '', ...row })
  const peer = await t.peer()
  const results = await Promise.all(
    times.map((n) => (n % 2 ? peer : t.backend).completions.assign('7:developer:complete', `project-${n}`)),
  )
  expect(tally(results.map(({ status }) => status))).toEqual({ assigned: 1, owned: 19 })
  const owner = (await t.backend.completions.scan()).items[0]?.project
  expect(results.filter((result) => result.status === 'owned')).toEqual(
    times.slice(1).map(() => ({ status: 'owned', project: owner })),
  )
})

/** Another program's record of nobody, under the documented key, and how the two end. */
const raceForIdentity = async (
  t: PgHarness,
  { hold, first, second }: Record<'first' | 'second', () => Promise<{ status: string }>> & { hold: string },
) => {
  const row = { issueNumber: '7', agentType: 'developer', status: 'complete', summary: 'Done', data: '{}' }
  await t.foreign.insertCompletion({ project: '', ...row })
  const other = await t.sql.connect()
  await other.query(`BEGIN; ${hold}`)
  const waiting = first()
  await untilBlocked(t)
  const { status } = await second()
  await other.query('ROLLBACK')
  other.release()
  const { items } = await t.backend.completions.history('7')
  return { first: (await waiting).status, second: status, owners: items.map(({ project }) => project).sort() }
}

test('[C-COMPLETION-8] a first save that overtakes an assignment makes it taken', async () => {
  await using t = await open()
  const { completions } = t.backend
  const ended = await raceForIdentity(t, {
    hold: 'SELECT FROM nexus_completions FOR UPDATE',
    first: () => completions.assign('7:developer:complete', 'alpha'),
    second: () => completions.save(aCompletion()),
  })
  expect(ended).toEqual({ first: 'taken', second: 'created', owners: ['alpha', null] })
})

test('[C-COMPLETION-8] a first save that an assignment overtakes goes on with that record', async () => {
  await using t = await open()
  const { completions } = t.backend
  const ended = await raceForIdentity(t, {
    hold: `INSERT INTO nexus_completions (issue_number, agent_type, dedup_key) VALUES ('1', 'x', 'alpha/7:developer:complete')`,
    first: () => completions.save(aCompletion()),
    second: () => completions.assign('7:developer:complete', 'alpha'),
  })
  expect(ended).toEqual({ first: 'updated', second: 'assigned', owners: ['alpha'] })
})

test('[C-COMPLETION-1] [C-PG-3] another program gives one record of ours the identity of another, and both stay', async () => {
  await using t = await open()
  const { completions } = t.backend
  await completions.save(aCompletion())
  await completions.save(aCompletion({ agentType: 'reviewer' }))
  await t.sql.query(`UPDATE nexus_completions SET agent_type = 'developer'`)
  expect(await completions.save(aCompletion({ summary: 'Again' }))).toEqual({
    status: 'updated',
    dedupKey: '7:reviewer:complete',
  })
  expect(await completions.save(aCompletion({ agentType: 'reviewer' }))).toMatchObject({ status: 'created' })
})

test('[C-TASK-1] racing creations of one file are one row, and guarded ones have one winner', async () => {
  await using t = await open()
  const peer = await t.peer()
  const file = (n: number) => ({ project: 'alpha', filename: 'login.md', content: `text ${n}` })
  await Promise.all(times.map((n) => (n % 2 ? peer : t.backend).taskFiles.save(file(n))))
  expect((await t.backend.taskFiles.list()).items).toHaveLength(1)
  const other = (n: number) => ({ ...file(n), filename: 'other.md' })
  const results = await Promise.all(
    times.map((n) => (n % 2 ? peer : t.backend).taskFiles.save(other(n), { ifRev: null })),
  )
  expect(tally(results.map(({ status }) => status))).toEqual({ saved: 1, conflict: 19 })
})

test('[C-WORKFLOW-3] an unguarded save that lost a race is checked against the state it met', async () => {
  await using t = await open()
  const peer = await t.peer()
  await t.backend.workflows.save(aWorkflow({ state: 'running' }))
  const results = await Promise.allSettled([
    t.backend.workflows.save(aWorkflow({ state: 'completed' })),
    peer.workflows.save(aWorkflow({ state: 'failed' })),
  ])
  expect(tally(results.map(({ status }) => status))).toEqual({ fulfilled: 1, rejected: 1 })
})

test('[C-STATE-3] patches of different members from several processes all win', async () => {
  await using t = await open()
  const peer = await t.peer()
  const results = await Promise.all(
    times.map((n) => (n % 2 ? peer : t.backend).hostState.patch('tracked_issues', { entries: { [`m${n}`]: n } })),
  )
  expect(tally(results.map(({ status }) => status))).toEqual({ saved: 20 })
  const entry = await t.backend.hostState.load('tracked_issues')
  expect(entry?.value).toEqual(Object.fromEntries(times.map((n) => [`m${n}`, n])))
})
