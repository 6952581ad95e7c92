import { type CorruptEntry, compactJson, storeNames } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, enqueueOne, task } from '../inbox/tasks.ts'
import { aCompletion, aForeignCompletion, aTaskFile, aWorkflow, everyPage, present, refused } from '../samples.ts'
import { readAll, recordsOf } from './samples.ts'

const without = <T extends object, K extends keyof T>(record: T, ...members: K[]): Omit<T, K> =>
  Object.fromEntries(Object.entries(record).filter(([member]) => !members.some((other) => other === member))) as Omit<
    T,
    K
  >

export const recordsRead = (clause: Clause): void => {
  clause(
    'C-MOVE-1',
    'workflows, completions, state and task files are read with all that their stores show',
    async (t) => {
      const { workflows, completions, hostState, taskFiles } = t.backend
      for (const id of ['alpha-7-full', 'alpha-8-full']) await workflows.save(aWorkflow({ id }))
      for (const given of [{}, { project: 'beta' }, { status: 'blocked' as const }])
        await completions.save(aCompletion(given))
      await hostState.save('k', { a: [1] })
      await taskFiles.save(aTaskFile({ issueNumber: '7' }))
      await t.advance(1000)
      await taskFiles.close('alpha', 'login.md')

      for (const limit of [1, 1000]) {
        const listed = (await workflows.list()).items.map(({ data, ...fields }) => ({
          ...without(fields, 'rev'),
          data: expect.stringContaining('"metadata":{"tier":"full"}'),
        }))
        expect(await readAll(t.backend, 'workflows', limit)).toEqual(listed.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
        const saved = (await completions.history('7')).items.map(({ payload, ...fields }) => ({
          ...without(fields, 'rev'),
          data: JSON.stringify(payload),
          seq: expect.any(Number),
        }))
        expect(await readAll(t.backend, 'completions', limit)).toEqual(
          saved.toSorted((a, b) => (a.dedupKey < b.dedupKey ? -1 : 1)),
        )
        expect(await readAll(t.backend, 'hostState', limit)).toEqual([
          { key: 'k', data: '{"a":[1]}', updatedAt: present(await hostState.load('k')).updatedAt },
        ])
        expect(await readAll(t.backend, 'taskFiles', limit)).toEqual(
          (await taskFiles.list()).items.map((file) => without(file, 'rev')),
        )
      }
    },
  )

  clause('C-MOVE-1', 'tasks of the inbox are read in every status, with their hold', async (t) => {
    const { inbox } = t.backend
    const ids: string[] = []
    for (const filename of ['done.md', 'failed.md', 'retried.md', 'bound.md', 'held.md', 'waits.md', 'keyed.md'])
      ids.push(await enqueueOne(t.backend, { filename, ...(filename === 'keyed.md' && { idempotencyKey: 'mine' }) }))
    const done = await claimOne(t.backend)
    const failed = await claimOne(t.backend)
    const retried = await claimOne(t.backend)
    const bound = await claimOne(t.backend)
    const held = await claimOne(t.backend, { worker: 'worker-2', leaseMs: 1500 })
    await inbox.bind(done.claim, { issueNumber: '1' })
    await inbox.complete(done.claim)
    await inbox.fail(failed.claim, 'no', { fatal: true })
    await inbox.fail(retried.claim, 'later', { retryAt: new Date(t.clock.now() + 3_600_000) })
    await inbox.bind(bound.claim, { issueNumber: '7' })
    await inbox.cancel(held.id)

    const holds = new Map([
      [bound.id, { worker: 'worker-1', leaseMs: 60_000, bound: true }],
      [held.id, { worker: 'worker-2', leaseMs: 1500, bound: false }],
    ])
    const epochs = new Map([done, failed, retried, bound, held].map(({ claim }) => [claim.id, claim.epoch]))
    const expected = []
    for (const id of ids) {
      const fields = without(present(await inbox.load(id)), 'claimedBy')
      expected.push({ ...fields, epoch: epochs.get(id) ?? 0, hold: holds.get(id) ?? null })
    }
    expected.sort((a, b) => (a.id < b.id ? -1 : 1))
    for (const limit of [1, 3, 1000]) expect(await readAll(t.backend, 'inbox', limit)).toEqual(expected)
  })

  clause('C-MOVE-1', 'tasks of one project are read as they were enqueued', async (t) => {
    const names = Array.from({ length: 12 }, (_, n) => `task-${12 - n}.md`)
    await t.backend.inbox.enqueue(names.map((filename) => task({ filename })))
    const { items } = await everyPage((page) => recordsOf(t.backend).read('inbox', page), 5)
    expect(items.map(({ filename }) => filename)).toEqual(names)
  })
}

export const recordsOfOthers = (clause: Clause): void => {
  clause('C-MOVE-1', 'what other programs made is read as the stores show it', async (t) => {
    const { report, ...row } = aForeignCompletion()
    await t.foreign.insertCompletion(row)
    await t.foreign.insertTaskFile({ ...aTaskFile(), state: 'closed', issueNumber: null })
    await t.foreign.insertInboxTask({ project: 'alpha', filename: 'task_9.md', markdown: '# Nine\n' })
    await t.foreign.insertHostState('tracked_issues', '[\n  1.0, "caf\\u00e9"\n]')

    const [completion] = await readAll(t.backend, 'completions')
    expect(present(completion)).toMatchObject({ issueNumber: '7', summary: 'Done by hand' })
    expect(JSON.parse(present(completion).data)).toEqual(report)
    const { items } = await t.backend.completions.scan()
    expect(items.map(({ dedupKey, project, reportId }) => [dedupKey, project, reportId])).toEqual([
      [completion?.dedupKey, completion?.project, completion?.reportId],
    ])
    expect(await readAll(t.backend, 'taskFiles')).toEqual([
      expect.objectContaining({ ...aTaskFile(), state: 'closed' }),
    ])
    const [found] = (await t.backend.inbox.list()).items
    expect(await readAll(t.backend, 'inbox')).toEqual([
      { ...without(present(found), 'claimedBy'), epoch: 0, hold: null },
    ])
    expect(found).toMatchObject({ project: 'alpha', filename: 'task_9.md', markdown: '# Nine\n', workspace: '' })
    expect((await readAll(t.backend, 'hostState')).map(({ data }) => data)).toEqual(['[1.0,"caf\\u00e9"]'])
  })

  clause('C-MOVE-1', 'a workflow’s document says what its columns say', async (t) => {
    const data = '{"state": "running", "n": 1.0, "project": "alpha", "who knows": []}'
    await t.foreign.insertWorkflow({ id: 'w-1', name: 'By hand', state: 'paused', currentStep: 3, data })
    const [record] = await readAll(t.backend, 'workflows')
    const { state, name, currentStep, project, createdAt, updatedAt, data: text } = present(record)
    const loaded = present(await t.backend.workflows.load('w-1'))
    expect(state).toBe(loaded.state)
    expect({ name, currentStep, project }).toEqual({
      name: 'By hand',
      currentStep: 3,
      project: 'alpha',
    })
    expect(text).toContain('"n":1.0')
    expect(JSON.parse(text)).toEqual({
      id: 'w-1',
      name: 'By hand',
      state: loaded.state,
      current_step: 3,
      n: 1,
      project: 'alpha',
      'who knows': [],
      created_at: createdAt.toISOString(),
      updated_at: updatedAt.toISOString(),
    })
  })

  clause('C-MOVE-1', 'what cannot be read stands beside the rest, and is not found', async (t) => {
    await t.backend.workflows.save(aWorkflow())
    await t.backend.workflows.save(aWorkflow({ id: 'alpha-8-full' }))
    await t.foreign.writeWorkflowText('alpha-8-full', '{"cut')
    await t.backend.hostState.save('a', 1)
    await t.foreign.insertHostState('b', '{"cut')
    const anEntry = (name: string): CorruptEntry => ({
      name,
      place: expect.stringContaining(name),
      reason: expect.stringContaining('is not JSON'),
      rev: expect.any(String),
    })
    const records = recordsOf(t.backend)
    for (const limit of [1, 10]) {
      const workflows = await everyPage((page) => records.read('workflows', page), limit)
      expect(workflows.items.map(({ id }) => id)).toEqual(['alpha-7-full'])
      expect(workflows.corrupt).toEqual([anEntry('alpha-8-full')])
      const state = await everyPage((page) => records.read('hostState', page), limit)
      expect(state.items.map(({ key, data }) => [key, compactJson(data)])).toEqual([['a', '1']])
      expect(state.corrupt).toEqual([anEntry('b')])
    }
    expect(await records.find('workflows', ['alpha-8-full'])).toEqual([])
    expect(await records.find('hostState', ['b'])).toEqual([])
  })

  clause('C-MOVE-1', 'a cursor that nobody gave out and a limit out of range are invalid', async (t) => {
    for (const store of storeNames) {
      expect((await recordsOf(t.backend).read(store)).cursor).toBeNull()
      await refused(recordsOf(t.backend).read(store, { cursor: 'e30' }), 'invalid')
      await refused(recordsOf(t.backend).read(store, { limit: 1001 }), 'invalid')
    }
  })
}
