import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueAndClaim, sweepAfterLease } from '../inbox/tasks.ts'
import { heldRecordOf, inboxRecordOf, isKept, readAll, recordsOf } from './samples.ts'

/** One whose id is a number and one whose id is none. */
const ids = ['51', '0mf3k5q2a1b0x9k2c7yq4d1'] as const

export const recordsHolds = (clause: Clause): void => {
  for (const id of ids) {
    const claim = { id, epoch: 5, worker: 'worker-1' }

    clause('C-MOVE-5', `the claim on ${id} goes on where it was`, async (t) => {
      await recordsOf(t.backend).write('inbox', [heldRecordOf({ id }), heldRecordOf({ id: '60', issueNumber: '8' })])
      const { inbox } = await t.reopen()
      expect(await inbox.heartbeat([claim])).toEqual({ lost: [], cancelRequested: [] })
      expect(await inbox.cancel(id)).toEqual({ status: 'requested' })
      expect(await inbox.heartbeat([claim])).toEqual({ lost: [], cancelRequested: [claim] })
      expect(await inbox.bind(claim, { issueNumber: '8' })).toEqual({ status: 'busy' })
      expect(await inbox.bind(claim, { issueNumber: '7' })).toEqual({ status: 'bound', issueNumber: '7' })
      expect(await inbox.complete(claim)).toEqual({ status: 'done' })
      expect(await inbox.complete(claim)).toEqual({ status: 'done' })
      expect(await inbox.load(id)).toMatchObject({ id, status: 'done' })
    })

    clause('C-MOVE-5', `the claim on ${id} may fail or be released, and the next epoch is greater`, async (t) => {
      await recordsOf(t.backend).write('inbox', [heldRecordOf({ id })])
      const { inbox } = await t.reopen()
      const retryAt = new Date(t.clock.now())
      expect(await inbox.fail(claim, 'no', { retryAt })).toEqual({ status: 'retrying', runAt: retryAt, attempts: 1 })
      const next = await claimOne(t.backend)
      expect(next.claim).toEqual({ id, epoch: 6, worker: 'worker-1' })
      expect(await inbox.complete(claim)).toEqual({ status: 'lease-lost' })
      expect(await inbox.release(next.claim)).toEqual({ status: 'released' })
      expect((await claimOne(t.backend)).claim.epoch).toBe(7)
    })

    clause('C-MOVE-5', `a claim on ${id} of another epoch or worker is lost`, async (t) => {
      await recordsOf(t.backend).write('inbox', [heldRecordOf({ id })])
      const others = [
        { ...claim, epoch: 4 },
        { ...claim, epoch: 6 },
        { ...claim, worker: 'worker-2' },
      ]
      for (const other of others) {
        expect(await t.backend.inbox.complete(other)).toEqual({ status: 'lease-lost' })
        expect(await t.backend.inbox.fail(other, 'no')).toEqual({ status: 'lease-lost' })
        expect(await t.backend.inbox.release(other)).toEqual({ status: 'lease-lost' })
        expect(await t.backend.inbox.bind(other, { issueNumber: '9' })).toEqual({ status: 'lease-lost' })
        expect(await t.backend.inbox.heartbeat([other])).toEqual({ lost: [other], cancelRequested: [] })
      }
      expect(await readAll(t.backend, 'inbox')).toEqual([heldRecordOf({ id })])
    })

    clause('C-MOVE-5', `a sweeper frees ${id} when nobody renews it, and not before`, async (t) => {
      await recordsOf(t.backend).write('inbox', [heldRecordOf({ id })])
      const { inbox } = await t.reopen()
      expect(await inbox.sweep()).toEqual({ freed: [], failed: [] })
      await t.advance(50_000)
      expect(await inbox.heartbeat([claim])).toEqual({ lost: [], cancelRequested: [] })
      await t.advance(50_000)
      expect(await inbox.sweep()).toEqual({ freed: [], failed: [] })
      expect(await sweepAfterLease(t)).toEqual({ freed: [id], failed: [] })
      expect(await inbox.complete(claim)).toEqual({ status: 'lease-lost' })
      expect((await claimOne(t.backend)).claim).toEqual({ id, epoch: 6, worker: 'worker-1' })
    })

    clause('C-MOVE-5', `who resumes takes ${id} over from a dead holder, with its issue`, async (t) => {
      await recordsOf(t.backend).write('inbox', [heldRecordOf({ id })])
      t.kill('worker-1')
      const resumed = await t.backend.inbox.resume({ worker: 'worker-2', leaseMs: 60_000 })
      expect(resumed.map((task) => [task.claim, task.issueNumber])).toEqual([
        [{ id, epoch: 6, worker: 'worker-2' }, '7'],
      ])
    })

    clause('C-MOVE-5', `an operator finds ${id} under its id`, async (t) => {
      await recordsOf(t.backend).write('inbox', [
        inboxRecordOf({ id, status: 'failed', error: 'no', processedAt: new Date(t.clock.now()), attempts: 3 }),
      ])
      const { inbox } = await t.reopen()
      expect(await inbox.requeue(id)).toEqual({ status: 'requeued' })
      expect(await inbox.requeue(id)).toEqual({ status: 'refused', is: 'pending' })
      expect((await inbox.list()).items.map((task) => [task.id, task.status])).toEqual([[id, 'pending']])
      expect(await inbox.cancel(id)).toEqual({ status: 'cancelled' })
    })
  }

  clause('C-MOVE-5', 'a hold that is written again is watched anew', async (t) => {
    const record = heldRecordOf()
    await recordsOf(t.backend).write('inbox', [record])
    await t.backend.inbox.sweep()
    await t.advance(50_000)
    await recordsOf(t.backend).write('inbox', [record])
    await t.advance(50_000)
    expect(await t.backend.inbox.sweep()).toEqual({ freed: [], failed: [] })
    await t.advance(61_000)
    expect(await t.backend.inbox.sweep()).toEqual({ freed: [record.id], failed: [] })
  })

  clause('C-MOVE-5', 'a task that is claimed, ended and moved back keeps its fencing', async (t) => {
    const { claim } = await enqueueAndClaim(t.backend)
    const [read] = await readAll(t.backend, 'inbox')
    expect(read?.epoch).toBe(claim.epoch)
    await t.backend.inbox.complete(claim)
    await recordsOf(t.backend).write('inbox', read ? [read] : [])
    expect(await readAll(t.backend, 'inbox')).toEqual([read])
    expect(await t.backend.inbox.heartbeat([claim])).toEqual({ lost: [], cancelRequested: [] })
  })

  clause('C-MOVE-5', 'a foreign claim is swept by nobody, and a person may revive it', async (t) => {
    const isThere = await isKept(t.backend, 'inbox', inboxRecordOf({ id: '71', status: 'processing', epoch: 4 }))
    expect(await sweepAfterLease(t)).toEqual({ freed: [], failed: [] })
    expect(await claimUpTo(t.backend, 5)).toEqual([])
    expect(await t.backend.inbox.requeue('71')).toEqual({ status: isThere ? 'requeued' : 'absent' })
    expect((await claimUpTo(t.backend, 5)).map((task) => task.claim.epoch)).toEqual(isThere ? [5] : [])
  })
}
