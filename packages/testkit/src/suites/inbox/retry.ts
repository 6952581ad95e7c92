import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueAndClaim, enqueueOne, hour, tasks } from './tasks.ts'

export const inboxRetry = (clause: Clause): void => {
  clause('C-INBOX-9', 'a failure is counted, and tried again at the moment it was told', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    const retryAt = new Date(t.clock.now() + hour)
    expect(await t.backend.inbox.fail(claim, 'exit 1', { retryAt })).toEqual({
      status: 'retrying',
      runAt: retryAt,
      attempts: 1,
    })
    expect(await t.backend.inbox.load(id)).toMatchObject({
      status: 'pending',
      attempts: 1,
      error: 'exit 1',
      runAt: retryAt,
      claimedBy: null,
      processedAt: null,
    })
    expect(await claimUpTo(t.backend, 10)).toEqual([])

    await t.advance(hour + 60_000)
    expect(await claimOne(t.backend)).toMatchObject({ id, attempts: 1 })
  })

  clause('C-INBOX-9', 'the first retry waits about a second, later ones minutes', async (t) => {
    await enqueueOne(t.backend, { maxAttempts: 50 })
    await t.backend.inbox.fail((await claimOne(t.backend)).claim, 'first')
    await t.advance(2000)
    for (let attempts = 2; attempts <= 9; attempts += 1) {
      await t.backend.inbox.fail((await claimOne(t.backend)).claim, 'again')
      await t.advance(310_000)
    }
    for (const attempts of [10, 11]) {
      expect(await t.backend.inbox.fail((await claimOne(t.backend)).claim, 'again')).toMatchObject({ attempts })
      await t.advance(100_000)
      expect(await claimUpTo(t.backend, 1)).toEqual([])
      await t.advance(210_000)
    }
    expect((await claimOne(t.backend)).attempts).toBe(11)
  })

  clause('C-INBOX-9', 'tasks that fail together are not all retried together', async (t) => {
    await t.backend.inbox.enqueue(tasks(12))
    const results = []
    for (const { claim } of await claimUpTo(t.backend, 12)) results.push(await t.backend.inbox.fail(claim, 'same'))

    const moments = results.map((result) => (result.status === 'retrying' ? result.runAt.getTime() : 0))
    expect(moments).not.toContain(0)
    expect(new Set(moments).size).toBeGreaterThan(1)
  })

  clause('C-INBOX-9', 'out of attempts it is a dead letter with the last error', async (t) => {
    const id = await enqueueOne(t.backend, { maxAttempts: 2 })
    expect(await t.backend.inbox.fail((await claimOne(t.backend)).claim, 'one')).toMatchObject({ status: 'retrying' })
    await t.advance(hour)
    const { claim } = await claimOne(t.backend)
    expect(await t.backend.inbox.fail(claim, 'two', { retryAt: new Date(t.clock.now()) })).toEqual({
      status: 'failed',
      attempts: 2,
    })

    await t.advance(hour)
    expect(await claimUpTo(t.backend, 10)).toEqual([])
    expect(await t.backend.inbox.load(id)).toMatchObject({
      status: 'failed',
      attempts: 2,
      error: 'two',
      claimedBy: null,
      processedAt: expect.any(Date),
    })
  })

  clause('C-INBOX-9', 'what is fatal is a dead letter at once', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend, { maxAttempts: 100 })
    expect(await t.backend.inbox.fail(claim, 'no such agent', { fatal: true })).toEqual({
      status: 'failed',
      attempts: 1,
    })

    await t.advance(hour)
    expect(await claimUpTo(t.backend, 10)).toEqual([])
    expect(await t.backend.inbox.load(id)).toMatchObject({ status: 'failed', error: 'no such agent' })
  })

  clause('C-INBOX-9', 'a task of one attempt fails with the first', async (t) => {
    const { claim } = await enqueueAndClaim(t.backend, { maxAttempts: 1 })
    expect(await t.backend.inbox.fail(claim, 'no')).toEqual({ status: 'failed', attempts: 1 })
  })

  clause('C-INBOX-9', 'one claim fails once', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.fail(claim, 'once')

    expect(await t.backend.inbox.fail(claim, 'twice')).toEqual({ status: 'lease-lost' })
    expect(await t.backend.inbox.load(id)).toMatchObject({ attempts: 1, error: 'once' })
  })

  clause('C-INBOX-9', 'the attempts of the next try count on, releases between do not', async (t) => {
    const { claim } = await enqueueAndClaim(t.backend, { maxAttempts: 3 })
    await t.backend.inbox.fail(claim, 'one')
    await t.advance(hour)
    await t.backend.inbox.release((await claimOne(t.backend)).claim)
    expect(await t.backend.inbox.fail((await claimOne(t.backend)).claim, 'two')).toMatchObject({ attempts: 2 })
  })
}
