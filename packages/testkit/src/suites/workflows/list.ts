import type { Workflow, WorkflowFilter } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { aWorkflow, present } from '../samples.ts'

const ids = async ({ backend }: Harness, filter?: WorkflowFilter): Promise<string[]> =>
  (await backend.workflows.list(filter)).items.map(({ id }: Workflow) => id)

const saveInOrder = async (t: Harness, workflows: readonly Parameters<typeof aWorkflow>[0][]): Promise<void> => {
  for (const given of workflows) {
    await t.backend.workflows.save(aWorkflow(given))
    await t.advance(1000)
  }
}

export const workflowList = (clause: Clause): void => {
  clause('C-WORKFLOW-5', 'newest created first, also after an older one changed', async (t) => {
    await saveInOrder(t, [{ id: 'c' }, { id: 'a' }, { id: 'b' }])
    await t.backend.workflows.save(aWorkflow({ id: 'c', state: 'running' }))
    expect(await ids(t)).toEqual(['b', 'a', 'c'])
  })

  clause('C-WORKFLOW-5', 'listed as loaded', async (t) => {
    await saveInOrder(t, [{ id: 'a' }, { id: 'b', state: 'running', data: { x: [1] } }])
    const { items, corrupt, cursor } = await t.backend.workflows.list()
    expect(items).toEqual([await t.backend.workflows.load('b'), await t.backend.workflows.load('a')])
    expect({ corrupt, cursor }).toEqual({ corrupt: [], cursor: null })
  })

  clause('C-WORKFLOW-5', 'by state, by project, by both', async (t) => {
    await saveInOrder(t, [
      { id: '1', project: 'alpha', state: 'running' },
      { id: '2', project: 'beta', state: 'running' },
      { id: '3', project: 'alpha', state: 'paused' },
      { id: '4', project: null, state: 'running' },
    ])
    expect(await ids(t, { state: 'running' })).toEqual(['4', '2', '1'])
    expect(await ids(t, { project: 'alpha' })).toEqual(['3', '1'])
    expect(await ids(t, { project: 'alpha', state: 'running' })).toEqual(['1'])
    expect(await ids(t, { state: 'failed' })).toEqual([])
    expect(await ids(t, { project: 'gamma' })).toEqual([])
    await t.backend.workflows.save(aWorkflow({ id: '1', project: 'beta', state: 'running' }))
    expect(await ids(t, { project: 'beta' })).toEqual(['2', '1'])
  })

  clause('C-WORKFLOW-5', 'the last page says that it is, whatever else lies behind the filter', async (t) => {
    await t.foreign.insertWorkflow({ id: 'theirs', name: 'Old', state: 'running', currentStep: 0, data: '{}' })
    await t.advance(1000)
    await saveInOrder(t, [{ id: '1' }, { id: '2', project: 'beta' }, { id: '3' }])
    const { workflows } = t.backend
    const first = await workflows.list({ project: 'alpha', limit: 1 })
    expect(first.items.map(({ id }) => id)).toEqual(['3'])
    const last = await workflows.list({ project: 'alpha', limit: 1, cursor: present(first.cursor) })
    expect(last.items.map(({ id }) => id)).toEqual(['1'])
    expect(last.cursor).toBeNull()
  })

  clause('C-WORKFLOW-5', 'by the time of last change', async (t) => {
    await saveInOrder(t, [{ id: '1' }, { id: '2' }, { id: '3' }])
    await t.backend.workflows.save(aWorkflow({ id: '1', state: 'running' }))
    const third = present(await t.backend.workflows.load('3')).updatedAt
    const second = present(await t.backend.workflows.load('2')).updatedAt
    expect(await ids(t, { updatedBefore: third })).toEqual(['2'])
    expect(await ids(t, { updatedBefore: second })).toEqual([])
    expect(await ids(t, { updatedBefore: new Date(third.getTime() + 1) })).toEqual(['3', '2'])
  })

  clause('C-WORKFLOW-5', 'an id is never split to learn its parts', async (t) => {
    await saveInOrder(t, [
      { id: 'a-b-7-full', project: 'a-b' },
      { id: 'a-8-full', project: null },
      { id: 'x-9-full', project: 'a' },
    ])
    expect(await ids(t, { project: 'a' })).toEqual(['x-9-full'])
    expect(await ids(t, { project: 'a-b' })).toEqual(['a-b-7-full'])
    expect(await t.backend.workflows.load('a-8-full')).toMatchObject({ project: null })
  })
}

export const workflowCounts = (clause: Clause): void => {
  clause('C-WORKFLOW-6', 'counts are exact', async (t) => {
    expect(await t.backend.workflows.counts()).toEqual({})
    await saveInOrder(t, [
      { id: '1', state: 'pending' },
      { id: '2', state: 'running' },
      { id: '3', state: 'running' },
      { id: '4', state: 'completed' },
    ])
    await t.foreign.insertWorkflow({ id: '5', name: 'Old', state: 'archived', currentStep: 0, data: '{}' })
    expect(await t.backend.workflows.counts()).toEqual({ pending: 1, running: 2, completed: 1, archived: 1 })
    await t.backend.workflows.save(aWorkflow({ id: '1', state: 'running' }))
    await t.backend.workflows.delete('2')
    expect(await t.backend.workflows.counts()).toEqual({ running: 2, completed: 1, archived: 1 })
  })
}
