import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueAndClaim, enqueueOne, sweepAfterLease, task } from './tasks.ts'

const deadLetter = async (t: Harness, fields: Parameters<typeof task>[0] = {}): Promise<string> => {
  const { id, claim } = await enqueueAndClaim(t.backend, fields)
  await t.backend.inbox.fail(claim, 'no', { fatal: true })
  return id
}

const nowhere = ['nothing-here', '', '../../etc', '99999999999999999999', '-1', '1e3', 'a\0b']

export const inboxRequeue = (clause: Clause): void => {
  clause('C-INBOX-14', 'a dead letter is pending again, due, with its counters at zero', async (t) => {
    const { id } = await enqueueAndClaim(t.backend, { maxAttempts: 2 })
    await sweepAfterLease(t)
    await t.backend.inbox.fail((await claimOne(t.backend)).claim, 'no', { fatal: true })

    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'requeued' })
    const fresh = { status: 'pending', attempts: 0, recoveries: 0, cancelRequested: false, processedAt: null }
    expect(await t.backend.inbox.load(id)).toMatchObject(fresh)
    const again = await claimOne(t.backend)
    expect(again.id).toBe(id)
    expect(await t.backend.inbox.fail(again.claim, 'once')).toMatchObject({ status: 'retrying', attempts: 1 })
  })

  clause('C-INBOX-14', 'never beside a live twin', async (t) => {
    const id = await deadLetter(t)
    const twin = await enqueueOne(t.backend)
    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'duplicate', id: twin })
    const { claim } = await claimOne(t.backend)
    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'duplicate', id: twin })
    expect((await t.backend.inbox.load(id))?.status).toBe('failed')

    await t.backend.inbox.complete(claim)
    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'requeued' })
  })

  clause('C-INBOX-14', 'what is requeued holds its name again', async (t) => {
    const id = await deadLetter(t)
    await t.backend.inbox.requeue(id)

    expect(await t.backend.inbox.enqueue([task()])).toEqual([{ status: 'duplicate', id }])
  })

  clause('C-INBOX-14', 'a task with a key of its own is requeued beside another of its name', async (t) => {
    const id = await deadLetter(t, { idempotencyKey: 'k1' })
    await enqueueOne(t.backend, { idempotencyKey: 'k2' })

    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'requeued' })
    expect(await claimUpTo(t.backend, 10)).toHaveLength(1)
  })

  clause('C-INBOX-14', 'what is pending, held or done is refused, what is not there absent', async (t) => {
    const id = await enqueueOne(t.backend)
    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'refused', is: 'pending' })
    const { claim } = await claimOne(t.backend)
    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'refused', is: 'processing' })
    expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'done' })
    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'refused', is: 'done' })
    for (const absent of nowhere) expect(await t.backend.inbox.requeue(absent), absent).toEqual({ status: 'absent' })
  })
}

export const inboxCancel = (clause: Clause): void => {
  clause('C-INBOX-15', 'a pending task is cancelled at once', async (t) => {
    const id = await enqueueOne(t.backend)
    expect(await t.backend.inbox.cancel(id)).toEqual({ status: 'cancelled' })

    const cancelled = { status: 'failed', error: expect.stringContaining('cancelled'), processedAt: expect.any(Date) }
    expect(await t.backend.inbox.load(id)).toMatchObject(cancelled)
    expect(await claimUpTo(t.backend, 10)).toEqual([])
  })

  clause('C-INBOX-15', 'a cancelled task gives its name free and can be requeued', async (t) => {
    const id = await enqueueOne(t.backend)
    await t.backend.inbox.cancel(id)
    const next = await enqueueAndClaim(t.backend)
    await t.backend.inbox.complete(next.claim)

    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'requeued' })
    expect((await claimOne(t.backend)).id).toBe(id)
  })

  clause('C-INBOX-15', 'the holder of a task in processing is asked, and keeps its claim', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    expect(await (await t.peer()).inbox.cancel(id)).toEqual({ status: 'requested' })
    expect(await t.backend.inbox.cancel(id)).toEqual({ status: 'requested' })

    expect(await t.backend.inbox.load(id)).toMatchObject({ status: 'processing', cancelRequested: true })
    expect(await t.backend.inbox.heartbeat([claim])).toEqual({ lost: [], cancelRequested: [claim] })
    const answer = await t.backend.inbox.fail(claim, 'stopped by a person', { fatal: true })
    expect(answer).toMatchObject({ status: 'failed' })
  })

  clause('C-INBOX-15', 'what ended is refused, what is not there absent', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.complete(claim)
    expect(await t.backend.inbox.cancel(id)).toEqual({ status: 'refused', is: 'done' })
    const failed = await deadLetter(t, { filename: 'other.md' })
    expect(await t.backend.inbox.cancel(failed)).toEqual({ status: 'refused', is: 'failed' })
    for (const absent of nowhere) expect(await t.backend.inbox.cancel(absent), absent).toEqual({ status: 'absent' })
    for (const absent of nowhere) expect(await t.backend.inbox.load(absent), absent).toBeNull()
  })
}
