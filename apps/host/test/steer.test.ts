import type { InboxStore } from '@nexus/core'
import { steerWorkflow } from '@nexus/engine'
import { describe, expect, test } from 'vitest'
import { agentPath, useBench } from './host-harness.ts'

describe("a person's word on a workflow, where the inbox answers otherwise than usual", () => {
  const bench = useBench()
  const id = 'shop-7-feature'
  const at = new Date().toISOString()
  const inAnHour = new Date(Date.now() + 3_600_000)
  const enqueue = (maxAttempts: number) =>
    bench().stores.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown: '**Issue:** 7', maxAttempts }])
  const begun = async (triage: string, maxAttempts: number) => {
    const t = bench()
    await t.configure({ triage })
    await enqueue(maxAttempts)
    const { inbox } = t.stores
    const fail: InboxStore['fail'] = (claim, error) => inbox.fail(claim, error, { retryAt: inAnHour })
    expect(await t.once(await t.open({ stores: { ...t.stores, inbox: { ...inbox, fail } } }))).toBe('failed')
    return t.stores
  }
  const retry = { type: 'retry', at, step: null } as const
  const cancel = { type: 'cancel', at, reason: 'no longer wanted' } as const
  const tracked = async () => (await bench().stores.hostState.load('tracked_issues'))?.value

  test('a retry says that its task is gone', async () => {
    const stores = await begun('exit 1', 1)
    await stores.inbox.purge({ olderThan: inAnHour })
    expect(await steerWorkflow(stores, id, retry)).toMatchObject({
      status: 'stranded',
      reason: expect.stringContaining('is no longer in the inbox'),
    })
  })

  test('a retry says that another task has the place of its own', async () => {
    const stores = await begun('exit 1', 1)
    const [other] = await enqueue(1)
    expect(await steerWorkflow(stores, id, retry)).toMatchObject({
      status: 'stranded',
      reason: expect.stringContaining(`task ${other?.id} has taken the place`),
    })
  })

  test('a failed one whose retry is due later is cancelled with it', async () => {
    const stores = await begun('exit 1', 9)
    expect(await steerWorkflow(stores, id, cancel)).toEqual({ status: 'done', state: 'failed' })
    expect(await stores.inbox.counts()).toMatchObject({ pending: 0, failed: 1 })
    expect(await tracked()).toMatchObject({ 7: { status: 'cancelled' } })
  })

  test('a paused one that nobody holds is told of as cancelled', async () => {
    const stores = await begun(`node ${agentPath('by-post.mjs')} status=blocked summary=why`, 1)
    expect(await steerWorkflow(stores, id, cancel)).toEqual({ status: 'done', state: 'cancelled' })
    expect(await tracked()).toMatchObject({ 7: { status: 'cancelled' } })
  })
})
