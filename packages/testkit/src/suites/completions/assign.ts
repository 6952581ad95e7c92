import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { aCompletion, aForeignCompletion, present, refused } from '../samples.ts'

const key = '7:developer:complete'

/** Another program's record: without a project, or, where the mailbox knows the folder, of that project. */
const foreignRecord = async (t: Harness): Promise<{ project: string | null }> => {
  await t.foreign.insertCompletion(aForeignCompletion({ project: 'alpha' }))
  return present((await t.backend.completions.scan()).items[0])
}

export const completionAssign = (clause: Clause): void => {
  clause('C-COMPLETION-8', 'a record without a project gets one and keeps its key', async (t) => {
    const { completions } = t.backend
    const { project } = await foreignRecord(t)
    const first = project === null ? { status: 'assigned' } : { status: 'owned', project: 'alpha' }
    expect(await completions.assign(key, 'alpha')).toEqual(first)
    expect((await completions.scan({ project: 'alpha' })).items).toMatchObject([{ project: 'alpha', dedupKey: key }])
    expect((await completions.scan({ project: null })).items).toEqual([])
    expect(await completions.assign(key, 'alpha')).toEqual({ status: 'owned', project: 'alpha' })
    expect(await completions.assign(key, 'beta')).toEqual({ status: 'owned', project: 'alpha' })
  })

  clause('C-COMPLETION-8', 'to be assigned is no news: the order of saving stays', async (t) => {
    const { completions } = t.backend
    await foreignRecord(t)
    await t.advance(1000)
    await completions.save(aCompletion({ agentType: 'reviewer' }))
    await completions.assign(key, 'alpha')
    const { items } = await completions.history('7')
    expect(items.map(({ agentType }) => agentType)).toEqual(['reviewer', 'developer'])
    expect((await completions.scan({ project: 'alpha' })).items).toMatchObject([{ agentType: 'reviewer' }])
  })

  clause('C-COMPLETION-8', 'once assigned it is the project’s own record', async (t) => {
    const { completions } = t.backend
    await foreignRecord(t)
    await completions.assign(key, 'alpha')
    expect(await completions.save(aCompletion())).toEqual({ status: 'updated', dedupKey: key })
    expect((await completions.history('7')).items).toMatchObject([{ project: 'alpha', summary: 'Login fixed' }])
  })

  clause('C-COMPLETION-8', 'taken where the project already has one of that identity', async (t) => {
    const { completions } = t.backend
    const { project } = await foreignRecord(t)
    await completions.save(aCompletion({ project: 'beta', summary: 'of beta' }))
    const answer = project === null ? { status: 'taken' } : { status: 'owned', project }
    expect(await completions.assign(key, 'beta')).toEqual(answer)
    expect((await completions.scan({ project: 'beta' })).items).toMatchObject([{ summary: 'of beta' }])
    expect((await completions.scan({ project })).items).toMatchObject([{ dedupKey: key, summary: 'Done by hand' }])
  })
}

export const completionOwners = (clause: Clause): void => {
  clause('C-COMPLETION-8', 'owned where we made it, absent where there is none', async ({ backend }) => {
    const { completions } = backend
    await completions.save(aCompletion())
    expect(await completions.assign(key, 'beta')).toEqual({ status: 'owned', project: 'alpha' })
    expect(await completions.assign('8:developer:complete', 'beta')).toEqual({ status: 'absent' })
    expect((await completions.scan()).items).toMatchObject([{ project: 'alpha' }])
  })

  clause('C-COMPLETION-8', 'two racing assigns end with one owner', async (t) => {
    const peer = await t.peer()
    const { project } = await foreignRecord(t)
    const answers = await Promise.all(
      ['beta', 'gamma', 'delta', 'epsilon'].map((name, index) =>
        (index % 2 ? peer : t.backend).completions.assign(key, name),
      ),
    )
    const [record] = (await peer.completions.history('7')).items
    const owner = present(present(record).project)
    const assigned = answers.filter(({ status }) => status === 'assigned')
    expect(assigned).toHaveLength(project === null ? 1 : 0)
    expect(answers.filter(({ status }) => status !== 'assigned')).toEqual(
      Array.from({ length: 4 - assigned.length }, () => ({ status: 'owned', project: owner })),
    )
  })

  clause('C-COMPLETION-8', 'not to a project that cannot be', async (t) => {
    await foreignRecord(t)
    for (const project of ['', 'a/b', 'a:b', 'x'.repeat(65)])
      await refused(t.backend.completions.assign(key, project), 'invalid')
  })
}
