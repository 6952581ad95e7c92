import { maxRecoveries } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueAndClaim, enqueueOne, hour, leaseMs, sweepAfterLease } from './tasks.ts'

const none = { freed: [], failed: [] }

export const inboxSweep = (clause: Clause): void => {
  clause('C-INBOX-11', 'a claim that did not move for its lease is freed, counted as a recovery', async (t) => {
    const { id } = await enqueueAndClaim(t.backend)
    expect(await sweepAfterLease(t)).toEqual({ freed: [id], failed: [] })

    const freed = { status: 'pending', attempts: 0, recoveries: 1, claimedBy: null }
    expect(await t.backend.inbox.load(id)).toMatchObject(freed)
    expect(await t.backend.inbox.sweep()).toEqual(none)
    expect(await claimOne(t.backend)).toMatchObject({ id, recoveries: 1 })
  })

  clause('C-INBOX-11', 'not before its lease is over', async (t) => {
    const { id } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.sweep()
    await t.advance(leaseMs - 5000)
    expect(await t.backend.inbox.sweep()).toEqual(none)
    await t.advance(6000)
    expect(await t.backend.inbox.sweep()).toEqual({ freed: [id], failed: [] })
  })

  clause('C-INBOX-11', 'each claim has the lease it was taken with', async (t) => {
    const short = await enqueueAndClaim(t.backend, { filename: 'short.md' }, { leaseMs: 10_000 })
    const long = await enqueueAndClaim(t.backend, { filename: 'long.md' }, { leaseMs: hour })
    await t.backend.inbox.sweep()
    await t.advance(11_000)
    expect(await t.backend.inbox.sweep()).toEqual({ freed: [short.id], failed: [] })
    await t.advance(hour)
    expect(await t.backend.inbox.sweep()).toEqual({ freed: [long.id], failed: [] })
  })

  clause('C-INBOX-11', 'a store that only now looks has seen nothing, however old the claim', async (t) => {
    const { id } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.sweep()
    await t.advance(24 * hour)
    expect(await (await t.peer()).inbox.sweep()).toEqual(none)

    await t.reopen()
    expect(await t.backend.inbox.sweep()).toEqual(none)
    await t.advance(leaseMs + 1000)
    expect(await t.backend.inbox.sweep()).toEqual({ freed: [id], failed: [] })
  })

  clause('C-INBOX-11', 'a wall clock that jumps takes nobody’s lease', async (t) => {
    await enqueueAndClaim(t.backend)
    await t.backend.inbox.sweep()
    t.clock.jump(400 * 24 * hour)
    expect(await t.backend.inbox.sweep()).toEqual(none)
    t.clock.jump(-800 * 24 * hour)
    expect(await t.backend.inbox.sweep()).toEqual(none)
  })

  clause('C-INBOX-11', 'a new claim of the task starts to be watched anew', async (t) => {
    const { claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.sweep()
    await t.advance(leaseMs - 5000)
    await t.backend.inbox.release(claim)
    const { id } = await claimOne(t.backend)
    await t.advance(10_000)
    expect(await t.backend.inbox.sweep()).toEqual(none)
    await t.advance(leaseMs)
    expect(await t.backend.inbox.sweep()).toEqual({ freed: [id], failed: [] })
  })

  clause('C-INBOX-11', 'what was freed keeps its issue number, which another may run meanwhile', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.bind(claim, { issueNumber: '7' })
    await sweepAfterLease(t)
    expect((await t.backend.inbox.load(id))?.issueNumber).toBe('7')

    await enqueueOne(t.backend, { filename: 'other.md', priority: 9 })
    const other = await claimOne(t.backend)
    expect(await t.backend.inbox.bind(other.claim, { issueNumber: '7' })).toMatchObject({ status: 'bound' })
  })

  clause('C-INBOX-11', 'of two stores that sweep, one frees', async (t) => {
    const peer = await t.peer()
    const { id } = await enqueueAndClaim(t.backend)
    await Promise.all([t.backend.inbox.sweep(), peer.inbox.sweep()])
    await t.advance(leaseMs + 1000)
    const answers = await Promise.all([t.backend.inbox.sweep(), peer.inbox.sweep()])

    expect(answers.flatMap(({ freed }) => freed)).toEqual([id])
    expect((await t.backend.inbox.load(id))?.recoveries).toBe(1)
  })

  clause('C-INBOX-11', 'a task that was taken back too often is a dead letter', async (t) => {
    const id = await enqueueOne(t.backend)
    for (let recoveries = 1; recoveries <= maxRecoveries; recoveries += 1) {
      await claimOne(t.backend)
      expect(await sweepAfterLease(t)).toEqual({ freed: [id], failed: [] })
    }
    await claimOne(t.backend)
    expect(await sweepAfterLease(t)).toEqual({ freed: [], failed: [id] })

    const crashed = { status: 'failed', error: expect.stringContaining('crash loop'), processedAt: expect.any(Date) }
    expect(await t.backend.inbox.load(id)).toMatchObject(crashed)
    expect(await claimUpTo(t.backend, 1)).toEqual([])
  })
}
