import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { aWorkflow, refused, savedRev } from '../samples.ts'

const states = ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled']

/** The clause's own words, not the table that the stores use. */
const allowed: ReadonlySet<string> = new Set([
  ...states.map((state) => `${state}→${state}`),
  'pending→running',
  'pending→cancelled',
  'running→paused',
  'running→completed',
  'running→failed',
  'running→cancelled',
  'paused→running',
  'paused→failed',
  'paused→cancelled',
  'failed→running',
  'cancelled→running',
])

const unknown = { id: 'alpha-9-old', name: 'Old', state: 'archived', currentStep: 0, data: '{"steps": []}' }

export const workflowStates = (clause: Clause): void => {
  for (const from of states)
    clause('C-WORKFLOW-3', `creation as ${from}, and each step from there`, async ({ backend }) => {
      const { workflows } = backend
      for (const to of states) {
        const id = `alpha-${to}`
        const rev = savedRev(await workflows.save(aWorkflow({ id, state: from })))
        const step = workflows.save(aWorkflow({ id, state: to, name: 'stepped' }))
        if (allowed.has(`${from}→${to}`)) {
          savedRev(await step)
          expect(await workflows.load(id)).toMatchObject({ state: to, name: 'stepped' })
        } else {
          await refused(step, 'invalid')
          expect(await workflows.load(id)).toMatchObject({ state: from, name: 'Fix the login', rev })
        }
      }
    })

  clause('C-WORKFLOW-3', 'a guarded save is held to the same steps', async ({ backend }) => {
    const { workflows } = backend
    const rev = savedRev(await workflows.save(aWorkflow({ state: 'pending' })))
    await refused(workflows.save(aWorkflow({ state: 'completed' }), { ifRev: rev }), 'invalid')
    expect(await workflows.load('alpha-7-full')).toMatchObject({ state: 'pending', rev })
  })

  clause('C-WORKFLOW-3', 'a save that is stale and no step either is a conflict', async ({ backend }) => {
    const { workflows } = backend
    const rev = savedRev(await workflows.save(aWorkflow({ state: 'pending' })))
    for (const ifRev of [null, 'another'])
      expect(await workflows.save(aWorkflow({ state: 'completed' }), { ifRev })).toEqual({
        status: 'conflict',
        current: rev,
      })
  })

  clause('C-WORKFLOW-3', 'nothing is created in, or goes to, an unknown state', async ({ backend }) => {
    const { workflows } = backend
    for (const state of ['', 'Running', 'archived', 'toString', '__proto__'])
      await refused(workflows.save(aWorkflow({ state })), 'invalid')
    expect(await workflows.load('alpha-7-full')).toBeNull()
    await workflows.save(aWorkflow({ state: 'running' }))
    await refused(workflows.save(aWorkflow({ state: 'archived' })), 'invalid')
    expect(await workflows.load('alpha-7-full')).toMatchObject({ state: 'running' })
  })

  clause(
    'C-WORKFLOW-3',
    'an unknown state found in data is readable, may stay, and may go anywhere known',
    async (t) => {
      const { workflows } = t.backend
      for (const to of states) {
        const id = `alpha-9-${to}`
        await t.foreign.insertWorkflow({ ...unknown, id })
        expect(await workflows.load(id)).toMatchObject({ state: 'archived', data: { state: 'archived' } })
        savedRev(await workflows.save(aWorkflow({ id, state: 'archived', name: 'kept' })))
        expect(await workflows.load(id)).toMatchObject({ state: 'archived', name: 'kept' })
        await refused(workflows.save(aWorkflow({ id, state: 'lost' })), 'invalid')
        savedRev(await workflows.save(aWorkflow({ id, state: to })))
        expect(await workflows.load(id)).toMatchObject({ state: to })
      }
    },
  )
}

export const workflowReopen = (clause: Clause): void => {
  clause('C-WORKFLOW-4', 'a completed workflow runs again only when it is reopened', async ({ backend }) => {
    const { workflows } = backend
    const rev = savedRev(await workflows.save(aWorkflow({ state: 'completed' })))
    await refused(workflows.save(aWorkflow({ state: 'running' })), 'invalid')
    await refused(workflows.save(aWorkflow({ state: 'running' }), { reopen: false }), 'invalid')
    for (const state of ['pending', 'paused', 'failed', 'cancelled'])
      await refused(workflows.save(aWorkflow({ state }), { reopen: true }), 'invalid')
    expect(await workflows.load('alpha-7-full')).toMatchObject({ state: 'completed', rev })
    savedRev(await workflows.save(aWorkflow({ state: 'running' }), { reopen: true, ifRev: rev }))
    expect(await workflows.load('alpha-7-full')).toMatchObject({ state: 'running' })
  })

  clause('C-WORKFLOW-4', 'reopen allows no other step', async ({ backend }) => {
    const { workflows } = backend
    await workflows.save(aWorkflow({ state: 'pending' }))
    await refused(workflows.save(aWorkflow({ state: 'completed' }), { reopen: true }), 'invalid')
    expect(await workflows.load('alpha-7-full')).toMatchObject({ state: 'pending' })
  })
}
