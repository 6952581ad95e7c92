import type { Claim, InboxStore } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, claimTwice, enqueueAndClaim, sweepAfterLease } from './tasks.ts'

const verbs = {
  bind: (inbox, claim) => inbox.bind(claim, { issueNumber: '13' }),
  complete: (inbox, claim) => inbox.complete(claim),
  fail: (inbox, claim) => inbox.fail(claim, 'too late'),
  'fail for good': (inbox, claim) => inbox.fail(claim, 'too late', { fatal: true }),
  release: (inbox, claim) => inbox.release(claim),
} as const satisfies Record<string, (inbox: InboxStore, claim: Claim) => Promise<{ status: string }>>

export const inboxFencing = (clause: Clause): void => {
  for (const [name, verb] of Object.entries(verbs)) {
    clause('C-INBOX-7', `${name} by a holder whose claim another took is refused and changes nothing`, async (t) => {
      const { first, second } = await claimTwice(t)
      const before = await t.backend.inbox.load(first.id)

      expect(await verb(t.backend.inbox, first.claim)).toEqual({ status: 'lease-lost' })
      expect(await t.backend.inbox.load(first.id)).toEqual(before)
      expect(await t.backend.inbox.complete(second.claim)).toEqual({ status: 'done' })
      expect(await verb(t.backend.inbox, first.claim)).toEqual({ status: 'lease-lost' })
      expect(await t.backend.inbox.load(first.id)).toMatchObject({ status: 'done', attempts: 0 })
    })

    clause('C-INBOX-7', `${name} of a task that was freed and waits is refused`, async (t) => {
      const { claim } = await enqueueAndClaim(t.backend)
      await sweepAfterLease(t)
      const before = await t.backend.inbox.load(claim.id)

      expect(await verb(t.backend.inbox, claim)).toEqual({ status: 'lease-lost' })
      expect(await t.backend.inbox.load(claim.id)).toEqual(before)
    })
  }
}

export const inboxEpochs = (clause: Clause): void => {
  clause('C-INBOX-7', 'the epoch fences, not the worker: an earlier claim of the same worker is lost', async (t) => {
    const { first, second } = await claimTwice(t, ['worker-1', 'worker-1'])

    expect(second.claim.epoch).toBeGreaterThan(first.claim.epoch)
    expect(await t.backend.inbox.complete(first.claim)).toEqual({ status: 'lease-lost' })
    expect(await t.backend.inbox.heartbeat([first.claim])).toMatchObject({ lost: [first.claim] })
    expect(await t.backend.inbox.complete(second.claim)).toEqual({ status: 'done' })
  })

  clause('C-INBOX-7', 'the epoch grows with every claim, over release, failure and requeue', async (t) => {
    const epochs: number[] = []
    const next = async (claimed: { claim: Claim }) => epochs.push(claimed.claim.epoch)
    const first = await enqueueAndClaim(t.backend)
    await next(first)
    await t.backend.inbox.release(first.claim)
    const second = await claimOne(t.backend)
    await next(second)
    await t.backend.inbox.fail(second.claim, 'again', { retryAt: new Date(t.clock.now()) })
    await t.advance(60_000)
    const third = await claimOne(t.backend)
    await next(third)
    await t.backend.inbox.fail(third.claim, 'no', { fatal: true })
    await t.backend.inbox.requeue(first.id)
    await next(await claimOne(t.backend))

    expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b))
    expect(epochs).toHaveLength(4)
  })

  clause('C-INBOX-7', 'complete is idempotent for the claim that did it, also after a restart', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'done' })
    const ended = await t.backend.inbox.load(id)
    expect(ended).toMatchObject({ status: 'done', claimedBy: null, processedAt: expect.any(Date) })

    expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'done' })
    await t.reopen()
    expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'done' })
    expect(await t.backend.inbox.load(id)).toEqual(ended)
  })

  clause('C-INBOX-7', 'what is done is not failed, released or bound by its holder', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.complete(claim)

    for (const [name, verb] of Object.entries(verbs))
      if (name !== 'complete') expect(await verb(t.backend.inbox, claim), name).toEqual({ status: 'lease-lost' })
    expect(await t.backend.inbox.load(id)).toMatchObject({ status: 'done', attempts: 0, issueNumber: null })
  })

  clause('C-INBOX-7', 'a claim that nobody was given holds nothing', async (t) => {
    const { claim } = await enqueueAndClaim(t.backend)
    const forged: Claim[] = [
      { ...claim, epoch: claim.epoch + 1 },
      { ...claim, epoch: 2 ** 31 },
      { ...claim, worker: 'worker-9' },
      { ...claim, id: 'nothing-here' },
      { ...claim, id: '../apollo' },
      { ...claim, id: '99999999999999999999' },
      { ...claim, id: '' },
    ]
    for (const wrong of forged)
      expect(await t.backend.inbox.complete(wrong), JSON.stringify(wrong)).toEqual({ status: 'lease-lost' })
    expect(await t.backend.inbox.heartbeat([...forged, claim])).toEqual({ lost: forged, cancelRequested: [] })
  })
}
