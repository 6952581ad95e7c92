import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { aWorkflow, present, refused, savedRev } from '../samples.ts'

export const workflowSave = (clause: Clause): void => {
  clause('C-WORKFLOW-1', 'every field comes back, data included', async ({ backend }) => {
    const { workflows } = backend
    const data = {
      version: '1.0',
      steps: [{ step_num: 1, agent: { name: 'developer', timeout: 600 }, routes: [], condition: null }],
      metadata: { ünïcode: '🚀' },
      'a member nobody knows': { deep: [[[1.5]]] },
    }
    const rev = savedRev(await workflows.save(aWorkflow({ state: 'running', currentStep: 3, data })))
    const workflow = present(await workflows.load('alpha-7-full'))
    expect(workflow).toEqual({
      id: 'alpha-7-full',
      name: 'Fix the login',
      state: 'running',
      currentStep: 3,
      project: 'alpha',
      issueNumber: '7',
      data: expect.objectContaining({ ...data, id: 'alpha-7-full', state: 'running', current_step: 3 }),
      createdAt: expect.any(Date),
      updatedAt: expect.any(Date),
      rev,
    })
  })

  clause('C-WORKFLOW-1', 'project and issue number may be missing', async ({ backend }) => {
    const { id, name, state, currentStep, data } = aWorkflow()
    await backend.workflows.save({ id, name, state, currentStep, data })
    expect(await backend.workflows.load(id)).toMatchObject({ project: null, issueNumber: null })
  })

  clause('C-WORKFLOW-1', 'what was never saved is null', async ({ backend }) => {
    expect(await backend.workflows.load('alpha-7-full')).toBeNull()
  })

  clause('C-WORKFLOW-1', 'a second save replaces every field and keeps the time of creation', async (t) => {
    const { workflows } = t.backend
    await workflows.save(aWorkflow({ data: { gone: 1, steps: [] } }))
    await t.advance(1000)
    const first = present(await workflows.load('alpha-7-full'))
    const next = { state: 'running', currentStep: 1, name: 'Renamed', project: 'beta', issueNumber: '8' }
    await workflows.save(aWorkflow({ ...next, data: { steps: [1] } }))
    const second = present(await workflows.load('alpha-7-full'))
    expect(second).toMatchObject({ ...next, data: { steps: [1], name: 'Renamed' } })
    expect(second.data).not.toHaveProperty('gone')
    expect(second.createdAt).toEqual(first.createdAt)
    expect(second.updatedAt.getTime()).toBeGreaterThanOrEqual(first.updatedAt.getTime())
    expect(second.rev).not.toBe(first.rev)
  })

  clause('C-WORKFLOW-1', 'a new one was created when its document says; later saves do not change that', async (t) => {
    const { workflows } = t.backend
    const created_at = '2025-03-01T10:00:00.123456+00:00'
    await workflows.save(aWorkflow({ data: { created_at } }))
    expect(await workflows.load('alpha-7-full')).toMatchObject({ createdAt: new Date('2025-03-01T10:00:00.123Z') })
    await workflows.save(aWorkflow({ data: { created_at: '2026-01-01T00:00:00Z' } }))
    expect(await workflows.load('alpha-7-full')).toMatchObject({ createdAt: new Date('2025-03-01T10:00:00.123Z') })
  })

  clause('C-ALL-7', 'members that we do not know survive a load and a save', async (t) => {
    const { workflows } = t.backend
    const row = { id: 'alpha-7-full', name: 'Theirs', state: 'running', currentStep: 1 }
    await t.foreign.insertWorkflow({ ...row, data: '{"require_approval_for": ["deploy"], "x": {"y": [null]}}' })
    const loaded = present(await workflows.load('alpha-7-full'))
    savedRev(await workflows.save({ ...loaded, state: 'paused' }, { ifRev: loaded.rev }))
    expect(present(await workflows.load('alpha-7-full')).data).toMatchObject({
      require_approval_for: ['deploy'],
      x: { y: [null] },
      state: 'paused',
    })
  })
}

export const workflowRevs = (clause: Clause): void => {
  clause('C-WORKFLOW-2', 'a save with a stale rev is a conflict and names the current one', async (t) => {
    const { workflows } = t.backend
    const first = savedRev(await workflows.save(aWorkflow(), { ifRev: null }))
    const peer = await t.peer()
    const second = savedRev(await peer.workflows.save(aWorkflow({ state: 'running' }), { ifRev: first }))
    expect(await workflows.save(aWorkflow({ name: 'stale' }), { ifRev: first })).toEqual({
      status: 'conflict',
      current: second,
    })
    expect(await workflows.load('alpha-7-full')).toMatchObject({ state: 'running', name: 'Fix the login', rev: second })
  })

  clause('C-WORKFLOW-2', 'ifRev null is a conflict with what exists, a rev with what does not', async ({ backend }) => {
    const { workflows } = backend
    const rev = savedRev(await workflows.save(aWorkflow(), { ifRev: null }))
    expect(await workflows.save(aWorkflow(), { ifRev: null })).toEqual({ status: 'conflict', current: rev })
    const elsewhere = aWorkflow({ id: 'alpha-8-full' })
    expect(await workflows.save(elsewhere, { ifRev: rev })).toEqual({ status: 'conflict', current: null })
    expect(await workflows.load('alpha-8-full')).toBeNull()
  })

  clause('C-ALL-2', 'a caller’s mistake is an error that was not applied', async ({ backend }) => {
    const error = await refused(backend.workflows.save(aWorkflow({ currentStep: 1.5 })), 'invalid')
    expect(error).toMatchObject({
      name: 'StoreError',
      outcome: 'not-applied',
      message: expect.stringMatching(/currentStep/),
    })
    await refused(backend.workflows.save(aWorkflow({ currentStep: 2 ** 31 })), 'invalid')
    expect((await backend.workflows.list()).items).toEqual([])
  })
}

export const workflowDelete = (clause: Clause): void => {
  clause('C-WORKFLOW-7', 'delete removes it once, and is refused with a stale rev', async ({ backend }) => {
    const { workflows } = backend
    expect(await workflows.delete('alpha-7-full')).toEqual({ status: 'absent' })
    const first = savedRev(await workflows.save(aWorkflow()))
    const second = savedRev(await workflows.save(aWorkflow({ state: 'running' })))
    expect(await workflows.delete('alpha-7-full', { ifRev: first })).toEqual({ status: 'conflict', current: second })
    expect(await workflows.load('alpha-7-full')).toMatchObject({ rev: second })
    expect(await workflows.delete('alpha-7-full', { ifRev: second })).toEqual({ status: 'deleted' })
    expect(await workflows.load('alpha-7-full')).toBeNull()
    expect(await workflows.delete('alpha-7-full')).toEqual({ status: 'absent' })
    savedRev(await workflows.save(aWorkflow({ state: 'completed' }), { ifRev: null }))
  })
}
