import { describe, expect, test } from 'vitest'
import { agentPath, useBench } from './host-harness.ts'

const byPost = (...members: string[]): string => ['node', agentPath('by-post.mjs'), ...members].join(' ')

describe('a chain of agents', () => {
  const bench = useBench()
  const enqueue = (filename: string, markdown: string) =>
    bench().stores.inbox.enqueue([{ project: 'shop', filename, markdown }])

  test('a task goes from the inbox through its steps to done', async () => {
    const t = bench()
    await t.configure({ triage: byPost(), developer: byPost(), reviewer: byPost() })
    await enqueue('cart.md', '# Feature\n**Type:** bug\n\nThe cart forgets its content.')

    expect(await t.once()).toBe('done')
    const workflow = await t.stores.workflows.load('shop-1-bug')
    expect(workflow).toMatchObject({ state: 'completed', project: 'shop', issueNumber: '1' })
    expect(await t.stores.inbox.counts()).toMatchObject({ pending: 0, processing: 0, done: 1, failed: 0 })
    expect(await t.stores.taskFiles.load('shop', 'cart.md')).toMatchObject({ state: 'closed', issueNumber: '1' })
    expect((await t.stores.hostState.load('tracked_issues'))?.value).toMatchObject({
      1: { project: 'shop', status: 'completed', description: 'Feature' },
    })
    expect((await t.stores.hostState.load('launched_agents'))?.value).toEqual({})
    const starts = await t.starts()
    expect(starts.map(({ step }) => step)).toEqual(['s1', 's2', 's3'])
    expect(workflow?.data['steps']).toMatchObject([
      { status: 'completed', attempt_id: starts[0]?.attempt, report: { summary: 's1 by post' } },
      { status: 'completed', attempt_id: starts[1]?.attempt },
      { status: 'completed', attempt_id: starts[2]?.attempt },
    ])
  })
})
