import type { TaskFileFilter } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { aTaskFile } from '../samples.ts'

const names = async ({ backend }: Harness, filter?: TaskFileFilter): Promise<string[]> =>
  (await backend.taskFiles.list(filter)).items.map(({ project, filename, state }) => `${project}/${state}/${filename}`)

const duplicates = async (t: Harness): Promise<void> => {
  for (const state of ['closed', 'active'] as const)
    await t.foreign.insertTaskFile({ ...aTaskFile(), content: `the ${state} one`, state, issueNumber: null })
}

export const taskFileList = (clause: Clause): void => {
  clause('C-TASK-2', 'of duplicates that others made, load gives the active one', async (t) => {
    await duplicates(t)
    const { taskFiles } = t.backend
    expect(await taskFiles.load('alpha', 'login.md')).toMatchObject({ state: 'active', content: 'the active one' })
    await taskFiles.save(aTaskFile({ content: 'changed' }))
    expect(await names(t, { state: 'active' })).toEqual(['alpha/active/login.md'])
    expect((await taskFiles.list({ state: 'closed' })).items).toMatchObject([{ content: 'the closed one' }])
    expect((await taskFiles.list({ state: 'active' })).items).toMatchObject([{ content: 'changed' }])
  })

  clause('C-TASK-3', 'every duplicate is listed', async (t) => {
    await duplicates(t)
    expect((await names(t)).sort()).toEqual(['alpha/active/login.md', 'alpha/closed/login.md'])
  })

  clause('C-TASK-3', 'newest created first, as loaded', async (t) => {
    const { taskFiles } = t.backend
    for (const filename of ['c.md', 'a.md', 'b.md']) {
      await taskFiles.save(aTaskFile({ filename }))
      await t.advance(1000)
    }
    await taskFiles.save(aTaskFile({ filename: 'c.md', content: 'later' }))
    expect(await names(t)).toEqual(['alpha/active/b.md', 'alpha/active/a.md', 'alpha/active/c.md'])
    const { items, corrupt, cursor } = await taskFiles.list()
    expect(items[2]).toEqual(await taskFiles.load('alpha', 'c.md'))
    expect({ corrupt, cursor }).toEqual({ corrupt: [], cursor: null })
  })

  clause('C-TASK-3', 'by project, state and issue number', async (t) => {
    const { taskFiles } = t.backend
    for (const file of [
      aTaskFile({ filename: '1.md', issueNumber: '7' }),
      aTaskFile({ filename: '2.md', project: 'beta', issueNumber: '7' }),
      aTaskFile({ filename: '3.md', issueNumber: '8' }),
      aTaskFile({ filename: '4.md' }),
    ]) {
      await taskFiles.save(file)
      await t.advance(1000)
    }
    await taskFiles.close('alpha', '3.md')
    expect(await names(t, { project: 'alpha' })).toEqual([
      'alpha/active/4.md',
      'alpha/closed/3.md',
      'alpha/active/1.md',
    ])
    expect(await names(t, { issueNumber: '7' })).toEqual(['beta/active/2.md', 'alpha/active/1.md'])
    expect(await names(t, { state: 'closed' })).toEqual(['alpha/closed/3.md'])
    expect(await names(t, { state: 'active', issueNumber: '8' })).toEqual([])
    expect(await names(t, { project: 'alpha', state: 'active', issueNumber: '7' })).toEqual(['alpha/active/1.md'])
    expect(await names(t, { state: 'archived' })).toEqual([])
    expect(await names(t, { project: 'gamma' })).toEqual([])
  })
}

export const foreignTaskFiles = (clause: Clause): void => {
  clause('C-TASK-5', 'a file that somebody else made is a first-class one', async (t) => {
    const { taskFiles } = t.backend
    const theirs = { ...aTaskFile({ filename: 'by hand.md' }), state: 'active', issueNumber: null } as const
    await t.foreign.insertTaskFile(theirs)
    expect(await taskFiles.load('alpha', 'by hand.md')).toMatchObject(theirs)
    expect(await names(t)).toEqual(['alpha/active/by hand.md'])
    await taskFiles.save(aTaskFile({ filename: 'by hand.md', content: theirs.content, issueNumber: '7' }))
    expect((await taskFiles.list({ issueNumber: '7' })).items).toMatchObject([{ ...theirs, issueNumber: '7' }])
    expect(await taskFiles.close('alpha', 'by hand.md')).toEqual({ status: 'moved', filename: 'by hand.md' })
    expect(await taskFiles.load('alpha', 'by hand.md')).toMatchObject({ state: 'closed', issueNumber: '7' })
  })

  clause('C-TASK-5', 'somebody else’s edit is what load gives, and makes our rev stale', async (t) => {
    const { taskFiles } = t.backend
    await taskFiles.save(aTaskFile({ issueNumber: '7' }))
    const ours = await taskFiles.load('alpha', 'login.md')
    await t.foreign.writeTaskFileContent('alpha', 'login.md', 'edited\n')
    const theirs = await taskFiles.load('alpha', 'login.md')
    expect(theirs).toMatchObject({ content: 'edited\n', issueNumber: '7', state: 'active' })
    expect(theirs?.rev).not.toBe(ours?.rev)
    const stale = await taskFiles.save(aTaskFile({ content: 'ours' }), { ifRev: ours?.rev })
    expect(stale).toEqual({ status: 'conflict', current: theirs?.rev })
    expect(await taskFiles.load('alpha', 'login.md')).toMatchObject({ content: 'edited\n' })
  })
}
