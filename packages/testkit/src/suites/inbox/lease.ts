import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, claimTwice, claimUpTo, enqueueAndClaim, leaseMs } from './tasks.ts'

export const inboxHeartbeat = (clause: Clause): void => {
  clause('C-INBOX-8', 'a heartbeat names what is lost and nothing else', async (t) => {
    const { first, second } = await claimTwice(t)
    const other = await enqueueAndClaim(t.backend, { filename: 'other.md' })
    const done = await enqueueAndClaim(t.backend, { filename: 'done.md' })
    await t.backend.inbox.complete(done.claim)

    const answer = await t.backend.inbox.heartbeat([first.claim, second.claim, other.claim, done.claim])
    expect(answer).toEqual({ lost: [first.claim, done.claim], cancelRequested: [] })
    expect(await t.backend.inbox.heartbeat([])).toEqual({ lost: [], cancelRequested: [] })
  })

  clause('C-INBOX-8', 'a heartbeat renews: who sweeps starts to wait anew', async (t) => {
    const peer = await t.peer()
    const { id, claim } = await enqueueAndClaim(t.backend)
    await peer.inbox.sweep()
    for (let beat = 0; beat < 4; beat += 1) {
      await t.advance(leaseMs - 10_000)
      await t.backend.inbox.heartbeat([claim])
      expect(await peer.inbox.sweep()).toEqual({ freed: [], failed: [] })
    }
    await t.advance(leaseMs + 1000)
    expect(await peer.inbox.sweep()).toEqual({ freed: [id], failed: [] })
  })

  clause('C-INBOX-8', 'a heartbeat names what a person wants stopped, and still renews it', async (t) => {
    const stopped = await enqueueAndClaim(t.backend, { filename: 'stopped.md' })
    const other = await enqueueAndClaim(t.backend, { filename: 'other.md' })
    await (await t.peer()).inbox.cancel(stopped.id)

    const answer = await t.backend.inbox.heartbeat([stopped.claim, other.claim])
    expect(answer).toEqual({ lost: [], cancelRequested: [stopped.claim] })
    expect(await t.backend.inbox.complete(stopped.claim)).toEqual({ status: 'done' })
  })
}

export const inboxRelease = (clause: Clause): void => {
  clause('C-INBOX-10', 'release gives back uncounted and at once', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    expect(await t.backend.inbox.release(claim)).toEqual({ status: 'released' })

    expect(await t.backend.inbox.load(id)).toMatchObject({
      status: 'pending',
      attempts: 0,
      recoveries: 0,
      claimedBy: null,
    })
    expect((await claimOne(t.backend, { worker: 'worker-2' })).id).toBe(id)
    expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'lease-lost' })
  })

  clause('C-INBOX-10', 'release gives back at the moment it was told', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    const retryAt = new Date(t.clock.now() + 10 * leaseMs)
    await t.backend.inbox.release(claim, { retryAt })

    expect((await t.backend.inbox.load(id))?.runAt).toEqual(retryAt)
    expect(await claimUpTo(t.backend, 1)).toEqual([])
    await t.advance(11 * leaseMs)
    expect((await claimOne(t.backend)).id).toBe(id)
  })
}
