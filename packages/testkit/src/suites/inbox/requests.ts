import type { ClaimRequest } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { refused } from '../samples.ts'
import { enqueueAndClaim, enqueueOne, leaseMs } from './tasks.ts'

const never = new Date(Number.NaN)

const wrongRequests: Partial<ClaimRequest>[] = [
  { limit: 0 },
  { limit: -1 },
  { limit: 1.5 },
  { limit: Number.POSITIVE_INFINITY },
  { leaseMs: 0 },
  { leaseMs: -1 },
  { leaseMs: Number.NaN },
  { leaseMs: Number.POSITIVE_INFINITY },
  { worker: '' },
  { worker: 'nul\0' },
  { maxPerProject: 0 },
  { maxPerProject: 1.5 },
]

/** Refused before anything is looked at, so the same on every backend. */
export const inboxRequests = (clause: Clause): void => {
  clause('C-INBOX-20', 'a claim of a wrong limit, lease, worker or cap is invalid and claims nothing', async (t) => {
    const id = await enqueueOne(t.backend)
    const request = { worker: 'worker-1', leaseMs, limit: 1 }
    for (const wrong of wrongRequests) await refused(t.backend.inbox.claim({ ...request, ...wrong }), 'invalid')
    expect(await t.backend.inbox.load(id)).toMatchObject({ status: 'pending' })
  })

  clause('C-INBOX-20', 'so is a resume of a wrong lease or worker', async (t) => {
    const { inbox } = t.backend
    await refused(inbox.resume({ worker: '', leaseMs }), 'invalid')
    for (const wrong of [0, -1, Number.NaN])
      await refused(inbox.resume({ worker: 'worker-1', leaseMs: wrong }), 'invalid')
  })

  clause('C-INBOX-20', 'a time that is none is invalid, whoever holds the task', async (t) => {
    const { inbox } = t.backend
    const { id, claim } = await enqueueAndClaim(t.backend)
    for (const given of [claim, { ...claim, epoch: claim.epoch + 1 }]) {
      await refused(inbox.fail(given, 'no', { retryAt: never }), 'invalid')
      await refused(inbox.release(given, { retryAt: never }), 'invalid')
    }
    await inbox.complete(claim)
    await refused(inbox.purge({ olderThan: never }), 'invalid')
    expect(await inbox.load(id)).toMatchObject({ status: 'done', attempts: 0 })
  })
}
