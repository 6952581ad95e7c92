import type { Backend } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { aTaskFile, present, statuses } from '../samples.ts'

const moves = { close: ['active', 'closed'], reopen: ['closed', 'active'] } as const

/** A task file in the state that this verb leaves. */
const ready = async (t: Harness, verb: keyof typeof moves): Promise<void> => {
  await t.backend.taskFiles.save(aTaskFile({ issueNumber: '7' }))
  if (verb === 'reopen') await t.backend.taskFiles.close('alpha', 'login.md')
}

export const taskFileMove = (clause: Clause): void => {
  for (const verb of ['close', 'reopen'] as const) {
    const [from, to] = moves[verb]

    clause('C-TASK-4', `${verb} moves from ${from} to ${to}, and is idempotent`, async (t) => {
      const { taskFiles } = t.backend
      await ready(t, verb)
      const before = present(await taskFiles.load('alpha', 'login.md'))
      expect(await taskFiles[verb]('alpha', 'login.md')).toEqual({ status: 'moved', filename: 'login.md' })
      const after = present(await taskFiles.load('alpha', 'login.md'))
      const { content, issueNumber, createdAt } = before
      expect(after).toMatchObject({ state: to, content, issueNumber, createdAt })
      expect(await taskFiles[verb]('alpha', 'login.md')).toEqual({ status: 'already', filename: 'login.md' })
      expect((await taskFiles.list()).items).toEqual([after])
    })

    clause('C-TASK-4', `${verb} of what is not there is absent`, async ({ backend }) => {
      expect(await backend.taskFiles[verb]('alpha', 'login.md')).toEqual({ status: 'absent' })
    })

    clause('C-TASK-4', `${verb} never overwrites: a taken name gets a number`, async (t) => {
      const { taskFiles } = t.backend
      for (const state of [from, to])
        await t.foreign.insertTaskFile({ ...aTaskFile(), content: `was ${state}`, state, issueNumber: null })
      expect(await taskFiles[verb]('alpha', 'login.md')).toEqual({ status: 'moved', filename: 'login~2.md' })
      expect((await taskFiles.list({ state: from })).items).toEqual([])
      expect(await taskFiles.load('alpha', 'login.md')).toMatchObject({ state: to, content: `was ${to}` })
      expect(await taskFiles.load('alpha', 'login~2.md')).toMatchObject({ state: to, content: `was ${from}` })
      await t.foreign.insertTaskFile({ ...aTaskFile(), content: 'third', state: from, issueNumber: null })
      expect(await taskFiles[verb]('alpha', 'login.md')).toEqual({ status: 'moved', filename: 'login~3.md' })
      expect((await taskFiles.list({ state: to })).items).toHaveLength(3)
    })

    clause('C-TASK-4', `of racing ${verb} calls one moves`, async (t) => {
      await ready(t, verb)
      const peer = await t.peer()
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, index) => (index % 2 ? peer : t.backend).taskFiles[verb]('alpha', 'login.md')),
      )
      expect(statuses(answers)).toEqual({ moved: 1, already: 5 })
      expect((await peer.taskFiles.list()).items).toMatchObject([{ filename: 'login.md', state: to, issueNumber: '7' }])
    })
  }

  clause(
    'C-TASK-4',
    'whoever closes, reopens and saves it meanwhile, it is one file that everybody finds',
    async (t) => {
      await t.backend.taskFiles.save(aTaskFile())
      const openings = [t.backend, await t.peer(), await t.peer()]
      const found = new Set<string | undefined>()
      const work = async ({ taskFiles }: Backend, at: number): Promise<void> => {
        for (let n = 0; n < 20; n += 1) {
          const moved = await taskFiles[(n + at) % 2 ? 'close' : 'reopen']('alpha', 'login.md')
          found.add(moved.status === 'absent' ? moved.status : moved.filename)
          await taskFiles.save(aTaskFile({ content: `${at} ${n}` }))
          found.add((await taskFiles.load('alpha', 'login.md'))?.filename)
        }
      }
      await Promise.all(openings.map(work))
      expect([...found]).toEqual(['login.md'])
      expect((await t.backend.taskFiles.list()).items).toHaveLength(1)
    },
  )

  clause('C-TASK-4', 'a name that is taken in the folder it comes from is passed over as well', async (t) => {
    const { taskFiles } = t.backend
    await t.foreign.insertTaskFile({ ...aTaskFile(), content: 'closed', state: 'closed', issueNumber: null })
    await taskFiles.save(aTaskFile({ filename: 'login~2.md', content: 'second' }))
    await t.foreign.insertTaskFile({ ...aTaskFile(), content: 'active', state: 'active', issueNumber: null })
    expect(await taskFiles.close('alpha', 'login.md')).toEqual({ status: 'moved', filename: 'login~3.md' })
    expect(await taskFiles.load('alpha', 'login~3.md')).toMatchObject({ state: 'closed', content: 'active' })
    expect(await taskFiles.load('alpha', 'login~2.md')).toMatchObject({ state: 'active', content: 'second' })
  })

  clause('C-TASK-4', 'whose name is taken keeps its issue number to itself', async (t) => {
    const { taskFiles } = t.backend
    await taskFiles.save(aTaskFile({ content: 'ours', issueNumber: '7' }))
    await taskFiles.close('alpha', 'login.md')
    await t.foreign.insertTaskFile({ ...aTaskFile(), content: 'theirs', state: 'active', issueNumber: null })
    expect(await taskFiles.reopen('alpha', 'login.md')).toEqual({ status: 'moved', filename: 'login~2.md' })
    expect(await taskFiles.load('alpha', 'login~2.md')).toMatchObject({ content: 'ours', issueNumber: '7' })
    expect(await taskFiles.load('alpha', 'login.md')).toMatchObject({ content: 'theirs', issueNumber: null })
  })

  clause('C-TASK-4', 'a closed file leaves its name to a new one', async (t) => {
    const { taskFiles } = t.backend
    await taskFiles.save(aTaskFile({ content: 'first' }))
    await taskFiles.close('alpha', 'login.md')
    await t.foreign.insertTaskFile({ ...aTaskFile(), content: 'second', state: 'active', issueNumber: null })
    expect(await taskFiles.load('alpha', 'login.md')).toMatchObject({ content: 'second', state: 'active' })
    expect(await taskFiles.close('alpha', 'login.md')).toEqual({ status: 'moved', filename: 'login~2.md' })
    const contents = (await taskFiles.list({ state: 'closed' })).items.map(({ content }) => content)
    expect(contents.sort()).toEqual(['first', 'second'])
  })
}
