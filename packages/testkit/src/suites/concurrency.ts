import type { Backend } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../harness.ts'
import type { Clause } from './clause.ts'
import { aCompletion, aTaskFile, aWorkflow, present, savedRev, statuses } from './samples.ts'

const racers = 6

/** The same call at once from the backend and a peer. */
const race = async <T>(t: Harness, call: (backend: Backend, index: number) => Promise<T>): Promise<T[]> => {
  const peer = await t.peer()
  return Promise.all(Array.from({ length: racers }, (_, index) => call(index % 2 ? peer : t.backend, index)))
}

const oneSaved = { saved: 1, conflict: racers - 1 }

export const guardedRaces = (clause: Clause): void => {
  clause('C-WORKFLOW-2', 'of racing guarded saves exactly one wins', async (t) => {
    const ifRev = savedRev(await t.backend.workflows.save(aWorkflow()))
    const results = await race(t, ({ workflows }, index) =>
      workflows.save(aWorkflow({ state: 'running', name: `racer ${index}` }), { ifRev }),
    )
    expect(statuses(results)).toEqual(oneSaved)
    const winner = results.findIndex(({ status }) => status === 'saved')
    const workflow = present(await t.backend.workflows.load('alpha-7-full'))
    expect(workflow).toMatchObject({ name: `racer ${winner}`, rev: savedRev(present(results[winner])) })
  })

  clause('C-ALL-3', 'of racing creations exactly one wins, in every store that has them', async (t) => {
    const guard = { ifRev: null }
    const workflows = await race(t, (backend, index) =>
      backend.workflows.save(aWorkflow({ name: `racer ${index}` }), guard),
    )
    const values = await race(t, (backend, index) => backend.hostState.save('k', index, guard))
    const files = await race(t, (backend, index) => backend.taskFiles.save(aTaskFile({ content: `${index}` }), guard))
    for (const results of [workflows, values, files]) expect(statuses(results)).toEqual(oneSaved)
    const winner = values.findIndex(({ status }) => status === 'saved')
    expect(await t.backend.hostState.load('k')).toMatchObject({ value: winner })
    expect((await t.backend.taskFiles.list()).items).toHaveLength(1)
  })

  clause('C-STATE-2', 'of racing guarded saves exactly one wins', async (t) => {
    const ifRev = savedRev(await t.backend.hostState.save('k', 'first'))
    const results = await race(t, ({ hostState }, index) => hostState.save('k', `racer ${index}`, { ifRev }))
    expect(statuses(results)).toEqual(oneSaved)
    const winner = results.findIndex(({ status }) => status === 'saved')
    expect(await t.backend.hostState.load('k')).toMatchObject({ value: `racer ${winner}` })
  })

  clause('C-TASK-1', 'of racing guarded saves exactly one wins', async (t) => {
    const ifRev = savedRev(await t.backend.taskFiles.save(aTaskFile()))
    const results = await race(t, ({ taskFiles }, index) =>
      taskFiles.save(aTaskFile({ content: `racer ${index}` }), { ifRev }),
    )
    expect(statuses(results)).toEqual(oneSaved)
    const winner = results.findIndex(({ status }) => status === 'saved')
    expect(await t.backend.taskFiles.load('alpha', 'login.md')).toMatchObject({ content: `racer ${winner}` })
  })

  clause('C-ALL-3', 'of racing guarded deletes exactly one deletes', async (t) => {
    const ifRev = savedRev(await t.backend.hostState.save('k', 1))
    const keys = await race(t, ({ hostState }) => hostState.delete('k', { ifRev }))
    const rev = savedRev(await t.backend.workflows.save(aWorkflow()))
    const ids = await race(t, ({ workflows }) => workflows.delete('alpha-7-full', { ifRev: rev }))
    for (const results of [keys, ids]) expect(statuses(results)).toEqual({ deleted: 1, absent: racers - 1 })
    expect(await t.backend.hostState.load('k')).toBeNull()
  })
}

export const plainRaces = (clause: Clause): void => {
  clause('C-STATE-3', 'concurrent patches of different members all win', async (t) => {
    await t.backend.hostState.save('tracked_issues', { '0': 'was there', kept: true })
    const results = await race(t, ({ hostState }, index) =>
      hostState.patch('tracked_issues', { entries: { [index]: 'open' }, remove: [`gone-${index}`] }),
    )
    expect(statuses(results)).toEqual({ saved: racers })
    expect(present(await t.backend.hostState.load('tracked_issues')).value).toEqual({
      ...Object.fromEntries(Array.from({ length: racers }, (_, index) => [index, 'open'])),
      kept: true,
    })
  })

  clause('C-STATE-3', 'concurrent patches of a missing key all win', async (t) => {
    await race(t, ({ hostState }, index) => hostState.patch('new', { entries: { [`m${index}`]: index } }))
    expect(Object.keys(present(await t.backend.hostState.load('new')).value as object).sort()).toEqual(
      Array.from({ length: racers }, (_, index) => `m${index}`),
    )
  })

  clause('C-ALL-3', 'racing plain saves are all made, and the record is one of them whole', async (t) => {
    const data = (index: number) => ({ racer: index, filling: `${index}`.repeat(10_000) })
    const results = await race(t, ({ workflows }, index) =>
      workflows.save(aWorkflow({ name: `racer ${index}`, data: data(index) })),
    )
    expect(statuses(results)).toEqual({ saved: racers })
    const workflow = present(await t.backend.workflows.load('alpha-7-full'))
    const winner = results.findIndex((result) => savedRev(result) === workflow.rev)
    expect(workflow).toMatchObject({ name: `racer ${winner}`, data: data(winner) })
  })
}

export const completionRaces = (clause: Clause): void => {
  clause('C-COMPLETION-1', 'of racing reports of one identity one is created and the others update it', async (t) => {
    const results = await race(t, ({ completions }, index) =>
      completions.save(aCompletion({ reportId: `attempt-${index}`, payload: { index } })),
    )
    expect(statuses(results)).toEqual({ created: 1, updated: racers - 1 })
    const { items } = await t.backend.completions.history('7')
    expect(items).toHaveLength(1)
    const { reportId, payload } = present(items[0])
    expect(reportId).toBe(`attempt-${payload['index']}`)
  })

  clause('C-COMPLETION-3', 'of racing identical reports one is written', async (t) => {
    const results = await race(t, ({ completions }) => completions.save(aCompletion()))
    expect(statuses(results)).toEqual({ created: 1, unchanged: racers - 1 })
  })

  clause('C-COMPLETION-2', 'racing projects of one issue get a key each, and none is refused', async (t) => {
    const results = await race(t, ({ completions }, index) =>
      completions.save(aCompletion({ project: `project-${index}`, summary: `of ${index}` })),
    )
    expect(statuses(results)).toEqual({ created: racers })
    const keys = results.map(({ dedupKey }) => dedupKey)
    expect(new Set(keys).size).toBe(racers)
    expect(keys.filter((key) => key === '7:developer:complete')).toHaveLength(1)
    const { items } = await t.backend.completions.scan()
    expect(items.map(({ project, summary }) => `${project} ${summary}`).sort()).toEqual(
      Array.from({ length: racers }, (_, index) => `project-${index} of ${index}`),
    )
    for (const { project, dedupKey } of items)
      expect(['7:developer:complete', `${project}/7:developer:complete`]).toContain(dedupKey)
  })
}
