import { type Backend, type JsonValue, parseJson } from '@nexus/core'
import { type ExistingDatabase, existingDatabases } from '@nexus/testkit/existing'
import { describe, expect, test } from 'vitest'
import { allOf, changedIn, digestsOf, existingPlace, rowsOf, tablesOf } from './existing.ts'

const opened = Object.values(existingDatabases).filter((fixture) => fixture !== existingDatabases.otherInbox)

const names = (fixture: ExistingDatabase, table: string, column: string, reads: boolean) =>
  rowsOf(fixture, table)
    .filter((row) => row.reads === reads)
    .map(({ values }) => String(values[column]))
    .sort()

const jsonIn = (text: string): JsonValue | undefined => {
  const parsed = parseJson(text)
  return parsed.ok ? parsed.value : undefined
}

const checkWorkflows = async ({ workflows }: Backend, fixture: ExistingDatabase): Promise<void> => {
  const { items, corrupt } = await allOf((page) => workflows.list(page))
  expect(items.map(({ id }) => id).sort()).toEqual(names(fixture, 'nexus_workflows', 'id', true))
  expect(corrupt.map(({ name }) => name).sort()).toEqual(names(fixture, 'nexus_workflows', 'id', false))
  for (const { reads, values } of rowsOf(fixture, 'nexus_workflows')) {
    const loaded = workflows.load(String(values['id']))
    if (!reads) await expect(loaded).rejects.toMatchObject({ code: 'corrupt', rev: expect.any(String) })
    else
      expect(await loaded).toMatchObject({
        id: values['id'],
        state: values['state'],
        currentStep: values['current_step'],
        data: { steps: Object(jsonIn(String(values['data'])))['steps'], version: '1.0' },
        createdAt: new Date(String(values['created_at'])),
      })
  }
}

const checkCompletions = async ({ completions }: Backend, fixture: ExistingDatabase): Promise<void> => {
  const rows = rowsOf(fixture, 'nexus_completions')
  for (const issue of new Set(rows.map(({ values }) => String(values['issue_number'])))) {
    const { items, corrupt } = await allOf((page) => completions.history(issue, page))
    const ofIssue = rows.filter(({ values }) => values['issue_number'] === issue)
    const keys = (reads: boolean) =>
      ofIssue.filter((row) => row.reads === reads).map(({ values }) => values['dedup_key'])
    expect(items.map(({ dedupKey }) => dedupKey).sort()).toEqual(keys(true).sort())
    expect(corrupt.map(({ name }) => name).sort()).toEqual(keys(false).sort())
    for (const item of items) {
      const { values } = ofIssue.find((row) => row.values['dedup_key'] === item.dedupKey) ?? {}
      expect(item).toMatchObject({ project: null, agentType: values?.['agent_type'], status: values?.['status'] })
      expect(item.payload).toEqual(jsonIn(String(values?.['data'])))
    }
  }
}

const checkHostState = async ({ hostState }: Backend, fixture: ExistingDatabase): Promise<void> => {
  const rows = rowsOf(fixture, 'nexus_host_state')
  expect((await allOf((page) => hostState.keys(page))).items).toEqual(rows.map(({ values }) => values['key']).sort())
  for (const { reads, values } of rows) {
    const loaded = hostState.load(String(values['key']))
    if (reads) expect((await loaded)?.value).toEqual(jsonIn(String(values['data'])))
    else await expect(loaded).rejects.toMatchObject({ code: 'corrupt', rev: expect.any(String) })
  }
}

const checkTaskFiles = async ({ taskFiles }: Backend, fixture: ExistingDatabase): Promise<void> => {
  const { items, corrupt } = await allOf((page) => taskFiles.list(page))
  const shown = items.map(({ project, filename, state, content, issueNumber }) => [
    project,
    filename,
    state,
    content,
    issueNumber,
  ])
  const rows = rowsOf(fixture, 'nexus_task_files').map(({ values }) =>
    ['project', 'filename', 'state', 'content', 'issue_number'].map((column) => values[column]),
  )
  expect(corrupt).toEqual([])
  expect(shown.map(String).sort()).toEqual(rows.map(String).sort())
}

const checkInbox = async ({ inbox }: Backend, fixture: ExistingDatabase): Promise<void> => {
  const { items } = await allOf((page) => inbox.list(page))
  const shown = items.map(({ id, project, workspace, filename, markdown, status }) =>
    [id, project, workspace, filename, markdown, status].join('|'),
  )
  const columns = ['id', 'project_key', 'workspace', 'filename', 'markdown_content', 'status']
  const rows = rowsOf(fixture, 'nexus_inbox_queue').map(({ values }) =>
    columns.map((column) => values[column]).join('|'),
  )
  expect(shown.sort()).toEqual(rows.sort())
  for (const { claimedBy } of items) expect(claimedBy).toBeNull()
}

/** Does one piece of work in each store; answers which rows may have changed by it. */
const work = async (backend: Backend, fixture: ExistingDatabase): Promise<string[]> => {
  const { workflows, completions, hostState, taskFiles, inbox } = backend
  const touched: string[] = []

  const [task] = await inbox.claim({ worker: 'w', limit: 1, leaseMs: 300_000 })
  if (!task) throw new Error('nothing was claimed')
  expect(await inbox.complete(task.claim)).toEqual({ status: 'done' })
  touched.push(`inbox_queue/${task.id}`)

  const issueNumber = String(rowsOf(fixture, 'nexus_completions')[0]?.values['issue_number'])
  const agentType = String(rowsOf(fixture, 'nexus_completions')[0]?.values['agent_type'])
  const report = { project: 'web', issueNumber, agentType, summary: 'new', payload: { a: 1 }, reportId: 'r1' }
  const saved = await completions.save({ ...report, status: 'complete' })
  expect(saved.status).toBe('created')
  const { items } = await completions.scan({ issueNumber, project: 'web' })
  expect(items).toMatchObject([{ dedupKey: saved.dedupKey, summary: 'new' }])

  if (rowsOf(fixture, 'nexus_host_state').length > 0) touched.push('host_state/launched_agents')
  expect(await hostState.patch('launched_agents', { entries: { '43': { pid: 1 } } })).toMatchObject({ status: 'saved' })

  const running = (await workflows.list({ state: 'running' })).items[0]
  if (!running) throw new Error('no workflow is running')
  const { id, name, data, rev: ifRev } = running
  const next = { id, name, state: 'completed', currentStep: 2, data }
  expect(await workflows.save(next, { ifRev })).toMatchObject({ status: 'saved' })
  expect(await workflows.load(id)).toMatchObject({ state: 'completed', currentStep: 2 })
  touched.push(`workflows/${id}`)

  const active = (await taskFiles.list({ state: 'active' })).items[0]
  if (active) {
    const closed = await taskFiles.close(active.project, active.filename)
    expect(closed).toMatchObject({ status: 'moved' })
    const row = rowsOf(fixture, 'nexus_task_files').find(
      ({ values: { project, filename, state, created_at } }) =>
        [project, filename, state].join() === [active.project, active.filename, active.state].join() &&
        Date.parse(String(created_at)) === active.createdAt.getTime(),
    )
    touched.push(`task_files/${row?.values['id']}`)
  }
  return touched
}

describe.each(opened.map((fixture) => [fixture.name, fixture] as const))('existing data: %s', (_, fixture) => {
  test('[C-ALL-9] [C-ALL-10] [C-INBOX-18] each record is listed once, the unreadable ones as such, and nothing changes by it', async () => {
    await using place = await existingPlace(fixture)
    const tables = tablesOf(fixture)
    const before = await digestsOf(place, tables, fixture.foreign)
    {
      await using backend = await place.open()
      await checkWorkflows(backend, fixture)
      await checkCompletions(backend, fixture)
      await checkHostState(backend, fixture)
      await checkTaskFiles(backend, fixture)
      await checkInbox(backend, fixture)
    }
    expect(changedIn(before, await digestsOf(place, tables, fixture.foreign))).toEqual([])
  })

  test('[C-PG-2] working on it changes the rows that were asked for and no other', async () => {
    await using place = await existingPlace(fixture)
    const tables = tablesOf(fixture)
    const foreign = fixture.foreign.filter((name) => name !== 'nexus_open_workflows')
    const before = await digestsOf(place, tables, foreign)
    const touched = await (async () => {
      await using backend = await place.open()
      return await work(backend, fixture)
    })()
    const changed = changedIn(before, await digestsOf(place, tables, foreign))
    expect(changed.sort()).toEqual(touched.sort())
    await using again = await place.open()
    expect((await again.inbox.list({ status: 'done' })).items.length).toBeGreaterThan(0)
  })
})

test('[C-STATE-3] a patch keeps the source text of the other members, in both shapes that stand there', async () => {
  await using place = await existingPlace(existingDatabases.documented)
  await using backend = await place.open()
  await backend.hostState.patch('launched_agents', { entries: { '43': 1 } })
  const { rows } = await place.query(`SELECT data FROM nexus_host_state WHERE key = 'launched_agents'`)
  const text = String(rows[0]?.['data'])
  const [before] = rowsOf(existingDatabases.documented, 'nexus_host_state').filter(
    ({ values }) => values['key'] === 'launched_agents',
  )
  expect(text).toContain(String(before?.values['data']).slice(0, -1))
  expect(text).toContain('\\u00fc')
})

test('[C-ALL-9] an unreadable document gives way only to a save with its rev, and a copy is kept', async () => {
  await using place = await existingPlace(existingDatabases.damaged)
  await using backend = await place.open()
  const input = { id: 'web-6-full', name: 'x', state: 'running', currentStep: 0, data: {} }
  expect(await backend.workflows.save(input, { ifRev: null })).toMatchObject({ status: 'conflict' })
  const rev = await backend.workflows.load('web-6-full').catch((error) => error.rev)
  expect(await backend.workflows.save(input, { ifRev: rev })).toMatchObject({ status: 'saved' })
  const kept = await place.query(`SELECT data FROM nexus_quarantine WHERE key = 'web-6-full'`)
  expect(kept.rows).toEqual([{ data: 'not JSON' }])
})

test('[C-INBOX-11] [C-INBOX-14] a row left in processing without a lease is never swept, and a person can requeue it', async () => {
  await using place = await existingPlace(existingDatabases.documented)
  await using backend = await place.open()
  await backend.inbox.sweep()
  expect(await backend.inbox.sweep()).toEqual({ freed: [], failed: [] })
  expect(await backend.inbox.resume({ worker: 'w', leaseMs: 1000 })).toEqual([])
  expect(await backend.inbox.requeue('5')).toEqual({ status: 'requeued' })
  expect(await backend.inbox.load('5')).toMatchObject({ status: 'pending', attempts: 0 })
})

test('[C-COMPLETION-2] [C-COMPLETION-8] a key of four parts stays what it is when the record gets a project', async () => {
  await using place = await existingPlace(existingDatabases.twoProjects)
  await using backend = await place.open()
  const key = '42:web-42-full:1:developer'
  expect(await backend.completions.assign(key, 'web')).toEqual({ status: 'assigned' })
  const { items } = await backend.completions.scan({ project: 'web' })
  expect(items).toMatchObject([{ dedupKey: key, project: 'web' }])
})
