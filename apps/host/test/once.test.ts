import type { InboxStore } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { useBench } from './host-harness.ts'

describe('--once', () => {
  const bench = useBench()

  test('it is over when another host has ended what this one would have tried again', async () => {
    const t = bench()
    await t.configure({ triage: 'exit 1' })
    await t.stores.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown: '**Issue:** 7' }])
    const { inbox } = t.stores
    const fail: InboxStore['fail'] = async (claim, error) => {
      const answer = await inbox.fail(claim, error, { retryAt: new Date() })
      const [task] = await inbox.claim({ worker: 'w2', limit: 1, leaseMs: 60_000 })
      if (task) await inbox.complete(task.claim)
      return answer
    }
    expect(await t.once(await t.open({ stores: { ...t.stores, inbox: { ...inbox, fail } } }))).toBe('failed')
    expect(await inbox.counts()).toMatchObject({ pending: 0, done: 1 })
  })
})
