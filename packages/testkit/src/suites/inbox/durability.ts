import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueAndClaim, enqueueOne, hour, leaseMs, task } from './tasks.ts'

export const inboxDurability = (clause: Clause): void => {
  clause('C-ALL-1', 'tasks, their order and their keys survive a restart', async (t) => {
    await t.backend.inbox.enqueue([
      task({ filename: 'second.md' }),
      task({ filename: 'first.md', priority: 5, idempotencyKey: 'key' }),
      task({ filename: 'later.md', runAt: new Date(t.clock.now() + hour) }),
    ])
    const before = (await t.backend.inbox.list()).items
    await t.reopen()

    expect((await t.backend.inbox.list()).items).toEqual(before)
    expect(await t.backend.inbox.enqueue([task({ filename: 'second.md' })])).toMatchObject([{ status: 'duplicate' }])
    expect(await t.backend.inbox.enqueue([task({ idempotencyKey: 'key' })])).toMatchObject([{ status: 'duplicate' }])
    expect((await claimUpTo(t.backend, 9)).map(({ filename }) => filename)).toEqual(['first.md', 'second.md'])
  })

  clause('C-ALL-1', 'a claim survives a restart and is still its holder’s', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.cancel(id)
    await t.reopen()

    expect(await claimUpTo(t.backend, 9)).toEqual([])
    expect(await t.backend.inbox.load(id)).toMatchObject({ status: 'processing', claimedBy: 'worker-1' })
    expect(await t.backend.inbox.heartbeat([claim])).toEqual({ lost: [], cancelRequested: [claim] })
    expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'done' })
  })

  clause('C-ALL-1', 'what ended stays ended after a restart, with its reason', async (t) => {
    const done = await enqueueAndClaim(t.backend, { filename: 'done.md' })
    await t.backend.inbox.complete(done.claim)
    const failed = await enqueueAndClaim(t.backend, { filename: 'failed.md', maxAttempts: 1 })
    await t.backend.inbox.fail(failed.claim, 'exit 1')
    const cancelled = await enqueueOne(t.backend, { filename: 'cancelled.md' })
    await t.backend.inbox.cancel(cancelled)
    const before = await Promise.all([done.id, failed.id, cancelled].map((id) => t.backend.inbox.load(id)))
    await t.reopen()

    const after = await Promise.all([done.id, failed.id, cancelled].map((id) => t.backend.inbox.load(id)))
    expect(after).toEqual(before)
    expect(after.map((ended) => ended?.status)).toEqual(['done', 'failed', 'failed'])
    expect(await t.backend.inbox.counts()).toEqual({ pending: 0, processing: 0, done: 1, failed: 2 })
  })

  clause('C-ALL-1', 'counters, delays and the epoch survive a restart', async (t) => {
    const first = await enqueueAndClaim(t.backend)
    await t.backend.inbox.fail(first.claim, 'again', { retryAt: new Date(t.clock.now() + hour) })
    await t.reopen()
    expect(await claimUpTo(t.backend, 1)).toEqual([])
    await t.advance(hour + 60_000)
    const second = await claimOne(t.backend)
    expect(second).toMatchObject({ id: first.id, attempts: 1, error: 'again' })
    expect(second.claim.epoch).toBeGreaterThan(first.claim.epoch)

    t.kill('worker-1')
    await t.reopen()
    const [third] = await t.backend.inbox.resume({ worker: 'heir', leaseMs })
    expect(third).toMatchObject({ id: first.id, recoveries: 1 })
    expect(third?.claim.epoch).toBeGreaterThan(second.claim.epoch)
  })

  clause('C-ALL-1', 'requeue and purge survive a restart', async (t) => {
    const dead = await enqueueAndClaim(t.backend, { filename: 'dead.md' })
    await t.backend.inbox.fail(dead.claim, 'no', { fatal: true })
    await t.backend.inbox.requeue(dead.id)
    await t.backend.inbox.release((await claimOne(t.backend)).claim, { retryAt: new Date(t.clock.now() + hour) })
    const done = await enqueueAndClaim(t.backend, { filename: 'done.md', idempotencyKey: 'key' })
    await t.backend.inbox.complete(done.claim)
    await t.backend.inbox.purge({ olderThan: new Date(t.clock.now() + hour) })
    await t.reopen()

    expect((await t.backend.inbox.list()).items.map(({ id }) => id)).toEqual([dead.id])
    expect(await t.backend.inbox.load(dead.id)).toMatchObject({ status: 'pending', attempts: 0 })
    expect(await t.backend.inbox.enqueue([task({ idempotencyKey: 'key' })])).toMatchObject([{ status: 'enqueued' }])
  })

  clause('C-ALL-1', 'a peer sees at once what was acknowledged', async (t) => {
    const peer = await t.peer()
    const { id, claim } = await enqueueAndClaim(t.backend)
    expect((await peer.inbox.load(id))?.status).toBe('processing')
    await peer.inbox.bind(claim, { issueNumber: '7' })
    expect((await t.backend.inbox.load(id))?.issueNumber).toBe('7')
    await peer.inbox.complete(claim)
    expect((await t.backend.inbox.load(id))?.status).toBe('done')
  })
}
