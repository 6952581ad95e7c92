import type { ClaimedTask } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueAndClaim, hour, leaseMs, tasks } from './tasks.ts'

const issue = { issueNumber: '42' }
const bound = { status: 'bound', issueNumber: '42' }

export const inboxBind = (clause: Clause): void => {
  clause('C-INBOX-13', 'the issue number is stored, and binding again says the same', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    expect(await t.backend.inbox.bind(claim, issue)).toEqual(bound)
    expect(await t.backend.inbox.bind(claim, issue)).toEqual(bound)

    await t.reopen()
    expect((await t.backend.inbox.load(id))?.issueNumber).toBe('42')
    expect(await t.backend.inbox.bind(claim, issue)).toEqual(bound)
  })

  clause('C-INBOX-13', 'one task of an issue runs; the next binds when that one ended', async (t) => {
    const peer = await t.peer()
    await t.backend.inbox.enqueue(tasks(4))
    const [a, b, c, d] = (await claimUpTo(t.backend, 4)).map(({ claim }) => claim)
    if (!a || !b || !c || !d) throw new Error('Expected four claims.')
    const { inbox } = t.backend
    expect(await inbox.bind(a, issue)).toEqual(bound)
    expect(await peer.inbox.bind(b, issue)).toEqual({ status: 'busy' })
    expect(await inbox.complete(a)).toEqual({ status: 'done' })
    expect(await peer.inbox.bind(b, issue)).toEqual(bound)
    expect(await inbox.bind(c, issue)).toEqual({ status: 'busy' })
    await inbox.release(b, { retryAt: new Date(t.clock.now() + hour) })
    expect(await inbox.bind(c, issue)).toEqual(bound)
    await inbox.fail(c, 'no')
    expect(await inbox.bind(d, issue)).toEqual(bound)
  })

  clause('C-INBOX-13', 'who is told busy still holds its task and may give it back', async (t) => {
    const first = await enqueueAndClaim(t.backend, { filename: 'a.md' })
    const second = await enqueueAndClaim(t.backend, { filename: 'b.md' })
    await t.backend.inbox.bind(first.claim, issue)
    await t.backend.inbox.bind(second.claim, issue)

    expect(await t.backend.inbox.load(second.id)).toMatchObject({ status: 'processing', claimedBy: 'worker-1' })
    expect(await t.backend.inbox.release(second.claim)).toEqual({ status: 'released' })
  })

  clause('C-INBOX-13', 'the same number in another project, or another number, is another issue', async (t) => {
    const first = await enqueueAndClaim(t.backend, { project: 'apollo' })
    const second = await enqueueAndClaim(t.backend, { project: 'gemini' })
    const third = await enqueueAndClaim(t.backend, { filename: 'other.md' })

    expect(await t.backend.inbox.bind(first.claim, issue)).toEqual(bound)
    expect(await t.backend.inbox.bind(second.claim, issue)).toEqual(bound)
    expect(await t.backend.inbox.bind(third.claim, { issueNumber: '4' })).toMatchObject({ status: 'bound' })
  })

  clause('C-INBOX-13', 'a later claim finds the number that was bound', async (t) => {
    const { claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.bind(claim, issue)
    await t.backend.inbox.release(claim)
    const released = await claimOne(t.backend)
    expect(released.issueNumber).toBe('42')

    await t.backend.inbox.fail(released.claim, 'again')
    await t.advance(hour)
    expect((await claimOne(t.backend)).issueNumber).toBe('42')
  })

  clause('C-INBOX-13', 'a number that no issue can have is invalid and binds nothing', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    for (const issueNumber of ['', '../1', 'a:b', 'x'.repeat(33), '1\0', '1\n'])
      await expect(t.backend.inbox.bind(claim, { issueNumber }), JSON.stringify(issueNumber)).rejects.toMatchObject({
        code: 'invalid',
      })

    expect((await t.backend.inbox.load(id))?.issueNumber).toBeNull()
  })
}

const other = { issueNumber: '43' }
const boundToOther = { status: 'bound', issueNumber: '43' }

/** The task says so, and of the two issues the former is free while the new one is not. */
const isBoundToOther = async (t: Harness, { id }: ClaimedTask): Promise<void> => {
  const peer = await t.peer()
  const next = await enqueueAndClaim(peer, { filename: 'next.md' })
  expect((await peer.inbox.load(id))?.issueNumber).toBe('43')
  expect(await peer.inbox.bind(next.claim, other)).toEqual({ status: 'busy' })
  expect(await peer.inbox.bind(next.claim, issue)).toEqual(bound)
}

/** What a holder does that finds that its task is about another issue. */
export const inboxBindAnew = (clause: Clause): void => {
  clause(
    'C-INBOX-13',
    'the last number bound under a claim counts, and the former issue is free at once',
    async (t) => {
      const claimed = await enqueueAndClaim(t.backend)
      await t.backend.inbox.bind(claimed.claim, issue)
      expect(await t.backend.inbox.bind(claimed.claim, other)).toEqual(boundToOther)
      await isBoundToOther(t, claimed)

      await t.reopen()
      await t.backend.inbox.release(claimed.claim)
      expect(await claimOne(t.backend)).toMatchObject({ id: claimed.id, issueNumber: '43' })
    },
  )

  clause('C-INBOX-13', 'so for the number that the task had when it was enqueued', async (t) => {
    const claimed = await enqueueAndClaim(t.backend, issue)
    expect(await t.backend.inbox.bind(claimed.claim, other)).toEqual(boundToOther)
    await isBoundToOther(t, claimed)
  })

  clause('C-INBOX-13', 'so for the number that a resumed claim came with', async (t) => {
    const first = await enqueueAndClaim(t.backend)
    await t.backend.inbox.bind(first.claim, issue)
    t.kill('worker-1')
    const [resumed] = await t.backend.inbox.resume({ worker: 'worker-2', leaseMs })
    if (!resumed) throw new Error('Expected the claim to be resumed.')
    expect(await t.backend.inbox.bind(resumed.claim, other)).toEqual(boundToOther)
    const next = await enqueueAndClaim(t.backend, { filename: 'other.md' }, { worker: 'worker-3' })
    expect(await t.backend.inbox.bind(next.claim, issue)).toEqual(bound)
  })

  clause('C-INBOX-13', 'busy leaves the former binding as it was', async (t) => {
    await t.backend.inbox.enqueue(tasks(3))
    const [first, second, third] = await claimUpTo(t.backend, 3)
    if (!first || !second || !third) throw new Error('Expected three claims.')
    await t.backend.inbox.bind(first.claim, issue)
    await t.backend.inbox.bind(second.claim, other)
    expect(await t.backend.inbox.bind(first.claim, other)).toEqual({ status: 'busy' })

    expect((await t.backend.inbox.load(first.id))?.issueNumber).toBe('42')
    expect(await t.backend.inbox.bind(third.claim, issue)).toEqual({ status: 'busy' })
    expect(await t.backend.inbox.bind(first.claim, issue)).toEqual(bound)
    expect(await t.backend.inbox.complete(first.claim)).toEqual({ status: 'done' })
    expect(await t.backend.inbox.bind(third.claim, issue)).toEqual(bound)
  })

  clause('C-INBOX-13', 'there and back again it is bound to the first', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    for (const { issueNumber } of [issue, other, issue])
      expect(await t.backend.inbox.bind(claim, { issueNumber })).toEqual({ status: 'bound', issueNumber })
    expect((await t.backend.inbox.load(id))?.issueNumber).toBe('42')
    const next = await enqueueAndClaim(t.backend, { filename: 'next.md' })
    expect(await t.backend.inbox.bind(next.claim, issue)).toEqual({ status: 'busy' })
    expect(await t.backend.inbox.bind(next.claim, other)).toEqual(boundToOther)
  })
}
