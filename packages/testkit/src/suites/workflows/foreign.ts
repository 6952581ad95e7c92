import type { JsonObject } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { aWorkflow, present, refused, savedRev } from '../samples.ts'

const row = { id: 'alpha-7-full', name: 'Theirs', state: 'running', currentStep: 2 }

const storedState = async (t: Harness): Promise<unknown> =>
  (JSON.parse(await t.foreign.workflowText('alpha-7-full')) as JsonObject)['state']

export const foreignWorkflows = (clause: Clause): void => {
  clause('C-ALL-10', 'a workflow that another program made is an ordinary one', async (t) => {
    const data = '{"project": "alpha", "issue_number": 7, "steps": [], "version": "1.0"}'
    await t.foreign.insertWorkflow({ ...row, data })
    const workflow = present(await t.backend.workflows.load('alpha-7-full'))
    expect(workflow).toMatchObject({
      ...row,
      project: 'alpha',
      issueNumber: '7',
      data: { steps: [], version: '1.0', name: 'Theirs', state: 'running', current_step: 2 },
    })
    expect(Number.isNaN(workflow.createdAt.getTime())).toBe(false)
    expect((await t.backend.workflows.list({ project: 'alpha' })).items).toEqual([workflow])
    savedRev(await t.backend.workflows.save({ ...workflow, state: 'paused' }, { ifRev: workflow.rev }))
  })

  clause('C-ALL-10', 'a state that another program set is the state, everywhere', async (t) => {
    const { workflows } = t.backend
    const ours = savedRev(await workflows.save(aWorkflow({ state: 'running' })))
    await t.foreign.setWorkflowState('alpha-7-full', 'paused')
    const workflow = present(await workflows.load('alpha-7-full'))
    expect(workflow).toMatchObject({ state: 'paused', data: { state: 'paused' } })
    expect(workflow.rev).not.toBe(ours)
    expect((await workflows.list({ state: 'paused' })).items).toEqual([workflow])
    expect((await workflows.list({ state: 'running' })).items).toEqual([])
    expect(await workflows.counts()).toEqual({ paused: 1 })
    expect(await workflows.save(aWorkflow({ state: 'completed' }), { ifRev: ours })).toEqual({
      status: 'conflict',
      current: workflow.rev,
    })
  })

  clause('C-ALL-10', 'steps start from that state, and the next save writes both alike', async (t) => {
    const { workflows } = t.backend
    await workflows.save(aWorkflow({ state: 'running' }))
    await t.foreign.setWorkflowState('alpha-7-full', 'paused')
    await refused(workflows.save(aWorkflow({ state: 'completed' })), 'invalid')
    const paused = present(await workflows.load('alpha-7-full'))
    savedRev(await workflows.save({ ...paused, name: 'Paused by hand' }, { ifRev: paused.rev }))
    expect(await storedState(t)).toBe('paused')
    savedRev(await workflows.save(aWorkflow({ state: 'running' })))
    expect(await storedState(t)).toBe('running')
  })
}

export const foreignWorkflowProjects = (clause: Clause): void => {
  clause(
    'C-WORKFLOW-5',
    'a project that another program wrote into the document is the one it is listed under',
    async (t) => {
      const { workflows } = t.backend
      await workflows.save(aWorkflow({ project: 'alpha', issueNumber: '7' }))
      await workflows.save(aWorkflow({ id: 'alpha-8-full', project: 'alpha', issueNumber: '8' }))
      const text = await t.foreign.workflowText('alpha-7-full')
      await t.foreign.writeWorkflowText('alpha-7-full', JSON.stringify({ ...JSON.parse(text), project: 'beta' }))
      const moved = present(await workflows.load('alpha-7-full'))
      expect(moved.project).toBe('beta')
      expect((await workflows.list({ project: 'beta' })).items).toEqual([moved])
      expect((await workflows.list({ project: 'alpha' })).items).toMatchObject([{ id: 'alpha-8-full' }])
      savedRev(await workflows.save({ ...moved, project: 'gamma' }, { ifRev: moved.rev }))
      expect((await workflows.list({ project: 'beta' })).items).toEqual([])
      expect((await workflows.list({ project: 'gamma' })).items).toMatchObject([{ id: 'alpha-7-full' }])
    },
  )
}

export const foreignWorkflowRevs = (clause: Clause): void => {
  clause('C-ALL-4', 'a state that was changed and changed back has the rev it had', async (t) => {
    const { workflows } = t.backend
    const ours = savedRev(await workflows.save(aWorkflow({ state: 'running' })))
    await t.foreign.setWorkflowState('alpha-7-full', 'paused')
    expect(present(await workflows.load('alpha-7-full')).rev).not.toBe(ours)
    await t.foreign.setWorkflowState('alpha-7-full', 'running')
    expect(await workflows.load('alpha-7-full')).toMatchObject({ state: 'running', rev: ours })
    savedRev(await workflows.save(aWorkflow({ state: 'completed' }), { ifRev: ours }))
  })

  clause('C-ALL-4', 'an edit of the document makes our rev stale', async (t) => {
    const { workflows } = t.backend
    const ours = savedRev(await workflows.save(aWorkflow({ state: 'running' })))
    const text = await t.foreign.workflowText('alpha-7-full')
    await t.foreign.writeWorkflowText('alpha-7-full', text.replace(/\}\s*$/, ', "note": "by hand"}'))
    const workflow = present(await workflows.load('alpha-7-full'))
    expect(workflow.data).toMatchObject({ note: 'by hand', version: '1.0' })
    expect(await workflows.save(aWorkflow({ state: 'running' }), { ifRev: ours })).toEqual({
      status: 'conflict',
      current: workflow.rev,
    })
    expect(await workflows.delete('alpha-7-full', { ifRev: ours })).toEqual({
      status: 'conflict',
      current: workflow.rev,
    })
  })
}
