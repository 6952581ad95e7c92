import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { aTaskFile, present, savedRev } from '../samples.ts'

const contents = [
  '',
  'one line without an end',
  '# Title\r\n\r\nWindows\r\n',
  '\uFEFF# BOM\n',
  'e\u0301 is not \u00e9\n',
  '  blanks  \n\t\n\n\n',
  '🚀 \u202e right to left \u2028 \uFFFD \uFFFE \u0001\n',
]

export const taskFileSave = (clause: Clause): void => {
  clause('C-TASK-1', 'an active file is created, and every field comes back', async ({ backend }) => {
    const { taskFiles } = backend
    const rev = savedRev(await taskFiles.save(aTaskFile({ issueNumber: '7' })))
    expect(await taskFiles.load('alpha', 'login.md')).toEqual({
      ...aTaskFile(),
      issueNumber: '7',
      state: 'active',
      createdAt: expect.any(Date),
      updatedAt: expect.any(Date),
      rev,
    })
    expect(await taskFiles.load('alpha', 'logout.md')).toBeNull()
    expect(await taskFiles.load('beta', 'login.md')).toBeNull()
  })

  clause('C-TASK-1', 'content comes back byte for byte', async ({ backend }) => {
    for (const [index, content] of contents.entries()) {
      await backend.taskFiles.save(aTaskFile({ filename: `${index}.md`, content }))
      expect(present(await backend.taskFiles.load('alpha', `${index}.md`)).content).toBe(content)
    }
  })

  clause('C-TASK-1', 'a second save replaces the content where the file is', async (t) => {
    const { taskFiles } = t.backend
    await taskFiles.save(aTaskFile({ issueNumber: '7' }))
    const first = present(await taskFiles.load('alpha', 'login.md'))
    await taskFiles.close('alpha', 'login.md')
    await t.advance(1000)
    await taskFiles.save(aTaskFile({ content: 'Later\n' }))
    const second = present(await taskFiles.load('alpha', 'login.md'))
    expect(second).toMatchObject({ content: 'Later\n', state: 'closed', issueNumber: '7', createdAt: first.createdAt })
    expect((await taskFiles.list()).items).toEqual([second])
  })

  clause('C-TASK-1', 'the issue number stays unless one is given', async ({ backend }) => {
    const { taskFiles } = backend
    await taskFiles.save(aTaskFile())
    const load = () => taskFiles.load('alpha', 'login.md')
    expect(await load()).toMatchObject({ issueNumber: null })
    await taskFiles.save(aTaskFile({ issueNumber: '7' }))
    expect(await load()).toMatchObject({ issueNumber: '7' })
    await taskFiles.save(aTaskFile({ content: 'more' }))
    expect(await load()).toMatchObject({ issueNumber: '7' })
    await taskFiles.save(aTaskFile({ issueNumber: null }))
    expect(await load()).toMatchObject({ issueNumber: null })
  })
}

export const taskFileRevs = (clause: Clause): void => {
  clause('C-TASK-1', 'a save with a stale rev is refused and names the current one', async (t) => {
    const { taskFiles } = t.backend
    const first = savedRev(await taskFiles.save(aTaskFile(), { ifRev: null }))
    expect(await taskFiles.save(aTaskFile({ content: 'x' }), { ifRev: null })).toEqual({
      status: 'conflict',
      current: first,
    })
    const second = savedRev(await (await t.peer()).taskFiles.save(aTaskFile({ content: 'two' }), { ifRev: first }))
    expect(await taskFiles.save(aTaskFile({ content: 'three' }), { ifRev: first })).toEqual({
      status: 'conflict',
      current: second,
    })
    expect(await taskFiles.load('alpha', 'login.md')).toMatchObject({ content: 'two', rev: second })
    expect(await taskFiles.save(aTaskFile({ filename: 'new.md' }), { ifRev: second })).toEqual({
      status: 'conflict',
      current: null,
    })
    expect(await taskFiles.load('alpha', 'new.md')).toBeNull()
  })

  clause('C-ALL-4', 'an issue number, a move and a change back all show in the rev', async ({ backend }) => {
    const { taskFiles } = backend
    const first = savedRev(await taskFiles.save(aTaskFile()))
    expect(savedRev(await taskFiles.save(aTaskFile({ issueNumber: '7' })))).not.toBe(first)
    expect(savedRev(await taskFiles.save(aTaskFile({ issueNumber: null })))).toBe(first)
    await taskFiles.close('alpha', 'login.md')
    expect(present(await taskFiles.load('alpha', 'login.md')).rev).not.toBe(first)
    await taskFiles.reopen('alpha', 'login.md')
    expect(present(await taskFiles.load('alpha', 'login.md')).rev).toBe(first)
  })
}

export const taskFileDelete = (clause: Clause): void => {
  clause('C-TASK-6', 'delete removes it once, and is refused with a stale rev', async ({ backend }) => {
    const { taskFiles } = backend
    expect(await taskFiles.delete('alpha', 'login.md')).toEqual({ status: 'absent' })
    const first = savedRev(await taskFiles.save(aTaskFile()))
    const second = savedRev(await taskFiles.save(aTaskFile({ content: 'two' })))
    await taskFiles.save(aTaskFile({ project: 'beta' }))
    const stale = await taskFiles.delete('alpha', 'login.md', { ifRev: first })
    expect(stale).toEqual({ status: 'conflict', current: second })
    expect(await taskFiles.delete('alpha', 'login.md', { ifRev: second })).toEqual({ status: 'deleted' })
    expect(await taskFiles.load('alpha', 'login.md')).toBeNull()
    expect(await taskFiles.delete('alpha', 'login.md')).toEqual({ status: 'absent' })
    expect(await taskFiles.load('beta', 'login.md')).not.toBeNull()
    savedRev(await taskFiles.save(aTaskFile(), { ifRev: null }))
  })

  clause('C-TASK-6', 'of duplicates the one that load gives', async (t) => {
    const { taskFiles } = t.backend
    for (const state of ['active', 'closed'] as const)
      await t.foreign.insertTaskFile({ ...aTaskFile(), content: state, state, issueNumber: null })
    expect(await taskFiles.delete('alpha', 'login.md')).toEqual({ status: 'deleted' })
    expect(await taskFiles.load('alpha', 'login.md')).toMatchObject({ state: 'closed', content: 'closed' })
  })
}
