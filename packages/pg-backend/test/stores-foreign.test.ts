import { describe, expect, test } from 'vitest'
import { usePostgres } from './harness.ts'
import { aCompletion, aWorkflow, present } from './samples.ts'

const open = usePostgres()

describe('a program that knows only the documented columns', () => {
  test('[C-PG-2] inserts a workflow that the stores treat as an ordinary one', async () => {
    await using t = await open()
    await t.sql.query(
      `INSERT INTO nexus_workflows (id, name, state, current_step, data, created_at)
       VALUES ('beta-1-full', 'Theirs', 'running', 1, '{"project": "beta", "issue_number": "1"}', '2026-01-02T03:04:05.678901Z')`,
    )
    const { workflows } = t.backend
    const loaded = present(await workflows.load('beta-1-full'))
    expect(loaded).toMatchObject({
      name: 'Theirs',
      state: 'running',
      currentStep: 1,
      project: 'beta',
      issueNumber: '1',
    })
    expect(loaded.createdAt).toEqual(new Date('2026-01-02T03:04:05.678Z'))
    expect((await workflows.list({ project: 'beta' })).items).toEqual([loaded])
    expect(await workflows.counts()).toEqual({ running: 1 })
    const saved = await workflows.save({ ...loaded, state: 'paused' }, { ifRev: loaded.rev })
    expect(saved.status).toBe('saved')
    const { rows } = await t.sql.query('SELECT name, state, current_step, data, created_at::text FROM nexus_workflows')
    expect(rows).toEqual([
      {
        name: 'Theirs',
        state: 'paused',
        current_step: 1,
        data: expect.stringContaining('"state":"paused"'),
        created_at: expect.stringContaining('.678901'),
      },
    ])
  })

  test('[C-PG-2] inserts a completion that the stores treat as an ordinary one', async () => {
    await using t = await open()
    const { completions } = t.backend
    await completions.save(aCompletion({ issueNumber: '7' }))
    await t.sql.query(
      `INSERT INTO nexus_completions (issue_number, agent_type, status, summary_text, data, dedup_key, created_at)
       VALUES ('8', 'reviewer', 'complete', 'Theirs', '{"verdict": "bad"}', '8:wf:step:reviewer', '2020-01-01Z')`,
    )
    const theirs = present((await completions.scan()).items[0])
    expect(theirs).toMatchObject({ project: null, issueNumber: '8', reportId: null, payload: { verdict: 'bad' } })
    expect(await completions.assign('8:wf:step:reviewer', 'alpha')).toEqual({ status: 'assigned' })
    const again = aCompletion({ issueNumber: '8', agentType: 'reviewer', summary: 'Again' })
    expect(await completions.save(again)).toEqual({ status: 'updated', dedupKey: '8:wf:step:reviewer' })
  })

  test('[C-PG-2] inserts a host-state key that the stores treat as an ordinary one', async () => {
    await using t = await open()
    await t.sql.query(
      `INSERT INTO nexus_host_state (key, data) VALUES ('tracked_issues', '{"7": {"project": "alpha"}}')`,
    )
    const { hostState } = t.backend
    expect(await hostState.load('tracked_issues')).toMatchObject({ value: { 7: { project: 'alpha' } } })
    expect(await hostState.patch('tracked_issues', { entries: { 8: 1 } })).toMatchObject({ status: 'saved' })
    expect(await t.foreign.hostStateText('tracked_issues')).toBe('{"7": {"project": "alpha"},"8": 1}')
  })

  test('[C-PG-2] inserts a task file that the stores treat as an ordinary one', async () => {
    await using t = await open()
    await t.sql.query(
      `INSERT INTO nexus_task_files (project, issue_number, filename, content, state)
       VALUES ('alpha', '7', 'login.md', '# Login', 'active')`,
    )
    const { taskFiles } = t.backend
    const loaded = present(await taskFiles.load('alpha', 'login.md'))
    expect(loaded).toMatchObject({ content: '# Login', issueNumber: '7', state: 'active' })
    const change = { project: 'alpha', filename: 'login.md', content: '# Login 2' }
    expect((await taskFiles.save(change, { ifRev: loaded.rev })).status).toBe('saved')
    expect(await taskFiles.close('alpha', 'login.md')).toEqual({ status: 'moved', filename: 'login.md' })
    expect((await t.sql.query('SELECT content, state FROM nexus_task_files')).rows).toEqual([
      { content: '# Login 2', state: 'closed' },
    ])
  })
})

describe('an UPDATE of one column by another program', () => {
  test('[C-PG-3] of a workflow’s state is the state, and makes our rev stale', async () => {
    await using t = await open()
    const { workflows } = t.backend
    const saved = await workflows.save(aWorkflow())
    await t.sql.query(`UPDATE nexus_workflows SET state = 'paused'`)
    const loaded = present(await workflows.load('alpha-7-full'))
    expect(loaded).toMatchObject({ state: 'paused', data: { state: 'paused' } })
    expect((await workflows.list({ state: 'paused' })).items).toEqual([loaded])
    const stale = await workflows.save(aWorkflow({ state: 'completed' }), {
      ifRev: saved.status === 'saved' ? saved.rev : '',
    })
    expect(stale).toEqual({ status: 'conflict', current: loaded.rev })
  })

  test('[C-PG-3] of a completion’s status or issue number moves it, is news, and makes our rev stale', async () => {
    await using t = await open()
    const { completions } = t.backend
    await completions.save(aCompletion({ issueNumber: '7' }))
    await completions.save(aCompletion({ issueNumber: '8' }))
    const before = present((await completions.scan({ issueNumber: '7' })).items[0])
    await t.sql.query(`UPDATE nexus_completions SET status = 'blocked' WHERE issue_number = '7'`)
    const blocked = present((await completions.scan()).items[0])
    expect(blocked).toMatchObject({ issueNumber: '7', status: 'blocked', reportId: null })
    expect(await completions.delete('7:developer:complete', { ifRev: before.rev })).toEqual({
      status: 'conflict',
      current: blocked.rev,
    })
    await t.sql.query(`UPDATE nexus_completions SET issue_number = '9' WHERE issue_number = '7'`)
    expect((await completions.scan({ issueNumber: '7' })).items).toEqual([])
    expect((await completions.history('9')).items).toMatchObject([{ issueNumber: '9', status: 'blocked' }])
  })

  test('[C-PG-3] that makes two completions of one identity is not refused, and neither is what follows', async () => {
    await using t = await open()
    const { completions } = t.backend
    await completions.save(aCompletion({ issueNumber: '7', summary: 'seven' }))
    await completions.save(aCompletion({ issueNumber: '8', summary: 'eight' }))
    await t.sql.query(`UPDATE nexus_completions SET issue_number = '8' WHERE issue_number = '7'`)
    expect((await completions.scan()).items).toMatchObject([{ issueNumber: '8', summary: 'seven' }])
    expect(await completions.save(aCompletion({ issueNumber: '8', summary: 'more' }))).toEqual({
      status: 'updated',
      dedupKey: '7:developer:complete',
    })
    expect(await completions.save(aCompletion({ issueNumber: '7' }))).toEqual({
      status: 'created',
      dedupKey: 'alpha/7:developer:complete',
    })
    const history = (await completions.history('8')).items.map(({ summary }) => summary)
    expect(history).toEqual(['more', 'eight'])
  })

  test('[C-PG-3] of a task file’s state, issue number or name is what load and list say', async () => {
    await using t = await open()
    const { taskFiles } = t.backend
    const file = { project: 'alpha', filename: 'login.md', content: 'one' }
    const saved = await taskFiles.save(file)
    const rev = saved.status === 'saved' ? saved.rev : ''
    await t.sql.query(`UPDATE nexus_task_files SET issue_number = '7'`)
    await t.sql.query(`UPDATE nexus_task_files SET state = 'closed'`)
    const closed = present(await taskFiles.load('alpha', 'login.md'))
    expect(closed).toMatchObject({ state: 'closed', issueNumber: '7' })
    expect((await taskFiles.list({ state: 'closed', issueNumber: '7' })).items).toEqual([closed])
    expect(await taskFiles.save(file, { ifRev: rev })).toEqual({ status: 'conflict', current: closed.rev })

    await t.sql.query(`UPDATE nexus_task_files SET filename = 'renamed.md'`)
    expect(await taskFiles.load('alpha', 'login.md')).toBeNull()
    expect((await taskFiles.save({ ...file, content: 'two' }, { ifRev: null })).status).toBe('saved')
    expect((await taskFiles.list()).items.map(({ filename }) => filename)).toEqual(['login.md', 'renamed.md'])
  })

  test('[C-PG-3] of a host-state value makes our rev stale', async () => {
    await using t = await open()
    const { hostState } = t.backend
    const saved = await hostState.save('launched_agents', { a: 1 })
    await t.sql.query(`UPDATE nexus_host_state SET data = '{"a": 2}'`)
    const loaded = present(await hostState.load('launched_agents'))
    expect(loaded.value).toEqual({ a: 2 })
    expect(await hostState.save('launched_agents', {}, { ifRev: saved.status === 'saved' ? saved.rev : '' })).toEqual({
      status: 'conflict',
      current: loaded.rev,
    })
  })
})
