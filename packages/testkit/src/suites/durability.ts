import { expect } from 'vitest'
import type { Clause } from './clause.ts'
import { aCompletion, aTaskFile, aWorkflow, present, savedRev } from './samples.ts'

export const workflowAndCompletionDurability = (clause: Clause): void => {
  clause('C-ALL-1', 'workflows are there after a restart, with their revs', async (t) => {
    await t.backend.workflows.save(aWorkflow())
    const rev = savedRev(await t.backend.workflows.save(aWorkflow({ state: 'running' })))
    await t.backend.workflows.save(aWorkflow({ id: 'gone' }))
    await t.backend.workflows.delete('gone')
    const before = await t.backend.workflows.list()
    const { workflows } = await t.reopen()
    expect(await workflows.list()).toEqual(before)
    expect(before.items).toHaveLength(1)
    savedRev(await workflows.save(aWorkflow({ state: 'completed' }), { ifRev: rev }))
  })

  clause('C-ALL-1', 'completions are there after a restart, in their order and with their keys', async (t) => {
    for (const given of [{}, { project: 'beta' }, { issueNumber: '8' }, { reportId: 'second pass' }])
      await t.backend.completions.save(aCompletion(given))
    const scan = await t.backend.completions.scan()
    const history = await t.backend.completions.history('7')
    t.clock.jump(-86_400_000)
    const { completions } = await t.reopen()
    expect(await completions.scan()).toEqual(scan)
    expect(await completions.history('7')).toEqual(history)
    const again = { status: 'unchanged', dedupKey: 'beta/7:developer:complete' }
    expect(await completions.save(aCompletion({ project: 'beta' }))).toEqual(again)
    await completions.save(aCompletion({ issueNumber: '9' }))
    expect((await completions.scan()).items.map(({ issueNumber }) => issueNumber)).toEqual(['9', '7', '8', '7'])
  })
}

export const stateAndTaskDurability = (clause: Clause): void => {
  clause('C-ALL-1', 'host state is there after a restart, with its revs', async (t) => {
    const { hostState } = t.backend
    await hostState.save('saved', { a: [1] })
    await hostState.patch('patched', { entries: { b: 2 } })
    await hostState.update('updated', () => 'c')
    await hostState.save('gone', 1)
    await hostState.delete('gone')
    const keys = ['patched', 'saved', 'updated']
    const before = await Promise.all(keys.map((key) => hostState.load(key)))
    const reopened = (await t.reopen()).hostState
    expect((await reopened.keys()).items).toEqual(keys)
    expect(await Promise.all(keys.map((key) => reopened.load(key)))).toEqual(before)
    savedRev(await reopened.save('saved', 2, { ifRev: present(before[1]).rev }))
  })

  clause('C-ALL-1', 'task files are there after a restart, where they were', async (t) => {
    const { taskFiles } = t.backend
    await taskFiles.save(aTaskFile({ issueNumber: '7' }))
    await t.advance(1000)
    await taskFiles.save(aTaskFile({ filename: 'closed.md', content: '' }))
    await taskFiles.close('alpha', 'closed.md')
    await taskFiles.save(aTaskFile({ filename: 'gone.md' }))
    await taskFiles.delete('alpha', 'gone.md')
    const before = await taskFiles.list()
    const reopened = (await t.reopen()).taskFiles
    expect(await reopened.list()).toEqual(before)
    expect(before.items.map(({ filename, state }) => `${state}/${filename}`)).toEqual([
      'closed/closed.md',
      'active/login.md',
    ])
    savedRev(await reopened.save(aTaskFile({ content: 'more' }), { ifRev: present(before.items[1]).rev }))
  })

  clause('C-ALL-1', 'a peer sees at once what was acknowledged', async (t) => {
    const peer = await t.peer()
    await t.backend.workflows.save(aWorkflow())
    await t.backend.completions.save(aCompletion())
    await t.backend.hostState.save('k', 1)
    await t.backend.taskFiles.save(aTaskFile())
    expect(await peer.workflows.load('alpha-7-full')).not.toBeNull()
    expect((await peer.completions.scan()).items).toHaveLength(1)
    expect(await peer.hostState.load('k')).toMatchObject({ value: 1 })
    expect(await peer.taskFiles.load('alpha', 'login.md')).not.toBeNull()
    await peer.taskFiles.close('alpha', 'login.md')
    expect(await t.backend.taskFiles.load('alpha', 'login.md')).toMatchObject({ state: 'closed' })
  })
}
