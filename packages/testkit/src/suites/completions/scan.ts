import type { CompletionInput } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { aCompletion, aForeignCompletion } from '../samples.ts'

const day = 86_400_000

const saveInOrder = async ({ backend }: Harness, completions: readonly Partial<CompletionInput>[]): Promise<void> => {
  for (const given of completions) await backend.completions.save(aCompletion(given))
}

const brief = (items: readonly { project: string | null; issueNumber: string; agentType: string }[]): string[] =>
  items.map(({ project, issueNumber, agentType }) => `${project}/${issueNumber}/${agentType}`)

export const completionScan = (clause: Clause): void => {
  clause('C-COMPLETION-6', 'the latest saved per project and issue, latest first', async (t) => {
    await saveInOrder(t, [
      { agentType: 'triage' },
      { agentType: 'developer' },
      { issueNumber: '8', agentType: 'triage' },
      { project: 'beta', agentType: 'triage' },
      { agentType: 'reviewer' },
      { project: 'beta', agentType: 'developer' },
    ])
    expect(brief((await t.backend.completions.scan()).items)).toEqual([
      'beta/7/developer',
      'alpha/7/reviewer',
      'alpha/8/triage',
    ])
  })

  clause('C-COMPLETION-6', 'latest is what was saved last, not what was created last', async (t) => {
    await saveInOrder(t, [{ agentType: 'triage' }, { agentType: 'developer' }])
    await t.advance(1000)
    await saveInOrder(t, [{ agentType: 'triage', reportId: 'second pass' }])
    expect((await t.backend.completions.scan()).items).toMatchObject([{ agentType: 'triage', reportId: 'second pass' }])
    expect(brief((await t.backend.completions.history('7')).items)).toEqual(['alpha/7/triage', 'alpha/7/developer'])
  })

  clause('C-COMPLETION-6', 'a clock that jumps back does not change the order', async (t) => {
    const peer = await t.peer()
    await t.backend.completions.save(aCompletion({ issueNumber: '1' }))
    t.clock.jump(-day)
    await peer.completions.save(aCompletion({ issueNumber: '2' }))
    t.clock.jump(-400 * day)
    await t.backend.completions.save(aCompletion({ issueNumber: '3' }))
    t.clock.jump(day)
    await peer.completions.save(aCompletion({ issueNumber: '1', reportId: 'again' }))
    t.clock.jump(-day)
    await t.backend.completions.save(aCompletion({ issueNumber: '1', agentType: 'reviewer' }))
    for (const { completions } of [t.backend, peer]) {
      expect(brief((await completions.scan()).items)).toEqual([
        'alpha/1/reviewer',
        'alpha/3/developer',
        'alpha/2/developer',
      ])
      expect(brief((await completions.history('1')).items)).toEqual(['alpha/1/reviewer', 'alpha/1/developer'])
    }
  })
}

export const completionFilters = (clause: Clause): void => {
  clause('C-COMPLETION-6', 'by issue, by project, by both', async (t) => {
    await saveInOrder(t, [{}, { project: 'beta' }, { issueNumber: '8' }])
    const scan = async (filter: { issueNumber?: string; project?: string | null }) =>
      brief((await t.backend.completions.scan(filter)).items)
    expect(await scan({ issueNumber: '7' })).toEqual(['beta/7/developer', 'alpha/7/developer'])
    expect(await scan({ project: 'alpha' })).toEqual(['alpha/8/developer', 'alpha/7/developer'])
    expect(await scan({ project: 'alpha', issueNumber: '8' })).toEqual(['alpha/8/developer'])
    expect(await scan({ project: 'gamma' })).toEqual([])
    expect(await scan({ issueNumber: '70' })).toEqual([])
    expect(await scan({ project: null })).toEqual([])
  })

  clause('C-COMPLETION-6', 'project null gives only records without a project', async (t) => {
    const { completions } = t.backend
    await t.foreign.insertCompletion(aForeignCompletion({ issueNumber: '9' }))
    await completions.save(aCompletion())
    const without = (await completions.scan({ project: null })).items
    const expected = t.backend.capabilities.mailbox ? [] : ['null/9/developer']
    expect(brief(without)).toEqual(expected)
    expect(brief((await completions.history('9', { project: null })).items)).toEqual(expected)
    expect(brief((await completions.history('7', { project: null })).items)).toEqual([])
    expect((await completions.scan()).items).toHaveLength(2)
  })

  clause('C-COMPLETION-7', 'one record per key of an issue, latest saved first', async (t) => {
    await saveInOrder(t, [
      { agentType: 'developer', status: 'in-progress' },
      { agentType: 'developer' },
      { issueNumber: '8' },
      { agentType: 'reviewer' },
      { project: 'beta' },
      { agentType: 'developer', reportId: 'second pass' },
    ])
    const { completions } = t.backend
    expect(await completions.history('7')).toMatchObject({
      items: [
        { project: 'alpha', agentType: 'developer', status: 'complete', reportId: 'second pass' },
        { project: 'beta', agentType: 'developer', status: 'complete' },
        { agentType: 'reviewer' },
        { agentType: 'developer', status: 'in-progress' },
      ],
      corrupt: [],
      cursor: null,
    })
    expect(brief((await completions.history('7', { project: 'beta' })).items)).toEqual(['beta/7/developer'])
    expect((await completions.history('70')).items).toEqual([])
  })
}
