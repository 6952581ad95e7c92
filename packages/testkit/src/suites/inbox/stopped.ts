import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { claimUpTo, enqueueAndClaim, enqueueOne, hour, leaseMs, sweepAfterLease } from './tasks.ts'

/** A claimed task that a person wants stopped. */
const stopped = async (t: Harness) => {
  const claimed = await enqueueAndClaim(t.backend)
  expect(await t.backend.inbox.cancel(claimed.id)).toEqual({ status: 'requested' })
  return claimed
}

const isOver = async (t: Harness, id: string, fields: object = {}): Promise<void> => {
  const over = { status: 'failed', error: 'cancelled', cancelRequested: true, processedAt: expect.any(Date) }
  expect(await t.backend.inbox.load(id)).toMatchObject({ ...over, ...fields })
  await t.advance(hour)
  expect(await claimUpTo(t.backend, 10)).toEqual([])
  expect(await enqueueOne(t.backend)).not.toBe(id)
}

/** What a person wants stopped is given to nobody again. */
export const inboxStopped = (clause: Clause): void => {
  clause('C-INBOX-15', 'a failure of a task that is to be stopped is its end', async (t) => {
    const { id, claim } = await stopped(t)
    expect(await t.backend.inbox.fail(claim, 'killed')).toEqual({ status: 'failed', attempts: 1 })
    await isOver(t, id, { attempts: 1 })
  })

  clause('C-INBOX-15', 'a fatal failure of it keeps its own words', async (t) => {
    const { id, claim } = await stopped(t)
    await t.backend.inbox.fail(claim, 'no such agent', { fatal: true })
    await isOver(t, id, { error: 'no such agent' })
  })

  clause('C-INBOX-15', 'released, at once or for later, it is over', async (t) => {
    const { id, claim } = await stopped(t)
    const retryAt = new Date(t.clock.now() + hour)
    expect(await t.backend.inbox.release(claim, { retryAt })).toEqual({ status: 'released' })
    await isOver(t, id, { attempts: 0 })
  })

  clause('C-INBOX-15', 'swept, it is over', async (t) => {
    const { id } = await stopped(t)
    expect(await sweepAfterLease(t)).toEqual({ freed: [], failed: [id] })
    await isOver(t, id, { recoveries: 1 })
  })

  clause('C-INBOX-15', 'a holder that died is not succeeded', async (t) => {
    const { id } = await stopped(t)
    t.kill('worker-1')
    expect(await t.backend.inbox.resume({ worker: 'worker-2', leaseMs })).toEqual([])
    await isOver(t, id, { recoveries: 1 })
  })

  clause(
    'C-INBOX-12',
    'an issue whose task ends with its dead holder is free for the next, not for a twin',
    async (t) => {
      const { inbox } = t.backend
      const first = await stopped(t)
      await inbox.bind(first.claim, { issueNumber: '7' })
      const twin = await enqueueAndClaim(t.backend, { filename: 'twin.md', issueNumber: '7' })
      t.kill('worker-1')
      expect(await inbox.resume({ worker: 'worker-2', leaseMs })).toEqual([])
      expect(await inbox.load(twin.id)).toMatchObject({ status: 'pending', recoveries: 1 })
      const [next] = await claimUpTo(t.backend, 10)
      expect(next?.id).toBe(twin.id)
      if (next) expect(await inbox.bind(next.claim, { issueNumber: '7' })).toMatchObject({ status: 'bound' })
    },
  )

  clause('C-INBOX-15', 'a person who requeues it takes the request back', async (t) => {
    const { id, claim } = await stopped(t)
    await t.backend.inbox.release(claim)
    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'requeued' })
    const [again] = await claimUpTo(t.backend, 1)
    expect(again).toMatchObject({ id, cancelRequested: false })
  })
}
