import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { aCompletion, aForeignCompletion, present } from '../samples.ts'

const keys = (items: readonly { dedupKey: string }[]): string[] => items.map(({ dedupKey }) => dedupKey).sort()

export const completionDedupKey = (clause: Clause): void => {
  clause(
    'C-COMPLETION-2',
    'the key is issue:agent:status; a second project gets its name before it',
    async ({ backend }) => {
      const { completions } = backend
      const second = { status: 'created', dedupKey: 'beta/7:developer:complete' }
      expect(await completions.save(aCompletion())).toEqual({ status: 'created', dedupKey: '7:developer:complete' })
      expect(await completions.save(aCompletion({ project: 'beta' }))).toEqual(second)
      expect(await completions.save(aCompletion({ project: 'gamma' }))).toMatchObject({
        status: 'created',
        dedupKey: 'gamma/7:developer:complete',
      })
      expect(await completions.save(aCompletion({ project: 'beta' }))).toEqual({ ...second, status: 'unchanged' })
    },
  )

  clause('C-COMPLETION-2', 'no project overwrites another’s', async ({ backend }) => {
    const { completions } = backend
    await completions.save(aCompletion({ summary: 'of alpha' }))
    await completions.save(aCompletion({ project: 'beta', summary: 'of beta' }))
    await completions.save(aCompletion({ project: 'beta', summary: 'of beta again' }))
    const of = async (project: string) => (await completions.scan({ project })).items.map(({ summary }) => summary)
    expect(await of('alpha')).toEqual(['of alpha'])
    expect(await of('beta')).toEqual(['of beta again'])
    expect(keys((await completions.history('7')).items)).toEqual(['7:developer:complete', 'beta/7:developer:complete'])
  })

  clause('C-COMPLETION-2', 'the key stays what it was at creation', async ({ backend }) => {
    const { completions } = backend
    await completions.save(aCompletion())
    await completions.save(aCompletion({ project: 'beta' }))
    await completions.delete('7:developer:complete')
    expect(await completions.save(aCompletion({ project: 'beta', summary: 'later' }))).toEqual({
      status: 'updated',
      dedupKey: 'beta/7:developer:complete',
    })
    expect(await completions.save(aCompletion({ project: 'gamma' }))).toEqual({
      status: 'created',
      dedupKey: '7:developer:complete',
    })
  })

  clause('C-COMPLETION-2', 'a record of another or of an unknown project is not overwritten either', async (t) => {
    const { completions } = t.backend
    const foreign = aForeignCompletion({ project: 'alpha' })
    await t.foreign.insertCompletion(foreign)
    await completions.scan()
    expect(await completions.save(aCompletion({ project: 'beta' }))).toEqual({
      status: 'created',
      dedupKey: 'beta/7:developer:complete',
    })
    const theirs = (await completions.history('7')).items.find(({ dedupKey }) => dedupKey === '7:developer:complete')
    expect(present(theirs)).toMatchObject({ summary: foreign.summary, payload: foreign.report })
  })
}
