import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { claimOne, enqueueAndClaim, enqueueOne, hour, task } from './tasks.ts'

/** One task in each status. */
const oneOfEach = async (t: Harness) => {
  const done = await enqueueAndClaim(t.backend, { filename: 'done.md', idempotencyKey: 'key-done' })
  await t.backend.inbox.complete(done.claim)
  const failed = await enqueueAndClaim(t.backend, { filename: 'failed.md', idempotencyKey: 'key-failed' })
  await t.backend.inbox.fail(failed.claim, 'no', { fatal: true })
  const processing = await enqueueAndClaim(t.backend, { filename: 'processing.md' })
  const pending = await enqueueOne(t.backend, { filename: 'pending.md' })
  return { done: done.id, failed: failed.id, processing: processing.id, pending }
}

const margin = hour

export const inboxPurge = (clause: Clause): void => {
  clause('C-INBOX-16', 'purge removes what ended before a moment, and nothing that lives', async (t) => {
    const ids = await oneOfEach(t)
    expect(await t.backend.inbox.purge({ olderThan: new Date(t.clock.now() - margin) })).toEqual({ purged: 0 })
    expect(await t.backend.inbox.counts()).toEqual({ pending: 1, processing: 1, done: 1, failed: 1 })

    expect(await t.backend.inbox.purge({ olderThan: new Date(t.clock.now() + margin) })).toEqual({ purged: 2 })
    expect(await t.backend.inbox.counts()).toEqual({ pending: 1, processing: 1, done: 0, failed: 0 })
    expect(await t.backend.inbox.load(ids.done)).toBeNull()
    expect(await t.backend.inbox.load(ids.failed)).toBeNull()
    expect(await t.backend.inbox.purge({ olderThan: new Date(t.clock.now() + margin) })).toEqual({ purged: 0 })
  })

  for (const status of ['done', 'failed'] as const)
    clause('C-INBOX-16', `purge can be held to what is ${status}`, async (t) => {
      const ids = await oneOfEach(t)
      const olderThan = new Date(t.clock.now() + margin)
      expect(await t.backend.inbox.purge({ olderThan, status })).toEqual({ purged: 1 })

      const left = (await t.backend.inbox.list()).items.map(({ id }) => id)
      expect(left.sort()).toEqual(
        Object.values(ids)
          .filter((id) => id !== ids[status])
          .sort(),
      )
    })

  clause('C-INBOX-16', 'what is purged gives its idempotency key free, and what is not does not', async (t) => {
    const ids = await oneOfEach(t)
    const again = [task({ idempotencyKey: 'key-done' }), task({ filename: 'b.md', idempotencyKey: 'key-failed' })]
    expect(await t.backend.inbox.enqueue(again)).toEqual([
      { status: 'duplicate', id: ids.done },
      { status: 'duplicate', id: ids.failed },
    ])
    await t.backend.inbox.purge({ olderThan: new Date(t.clock.now() + margin) })

    expect((await t.backend.inbox.enqueue(again)).map(({ status }) => status)).toEqual(['enqueued', 'enqueued'])
  })

  clause('C-INBOX-16', 'purged claims and ids are gone for every verb', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.complete(claim)
    await t.backend.inbox.purge({ olderThan: new Date(t.clock.now() + margin) })

    expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'lease-lost' })
    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'absent' })
    expect(await t.backend.inbox.cancel(id)).toEqual({ status: 'absent' })
  })

  clause('C-INBOX-16', 'counts follow every step', async (t) => {
    const { inbox } = t.backend
    const none = { pending: 0, processing: 0, done: 0, failed: 0 }
    expect(await inbox.counts()).toEqual(none)
    await enqueueOne(t.backend)
    await enqueueOne(t.backend, { filename: 'later.md', runAt: new Date(t.clock.now() + hour) })
    expect(await inbox.counts()).toEqual({ ...none, pending: 2 })
    const { claim } = await claimOne(t.backend)
    expect(await inbox.counts()).toEqual({ ...none, pending: 1, processing: 1 })
    await inbox.release(claim)
    expect(await inbox.counts()).toEqual({ ...none, pending: 2 })
    await inbox.complete((await claimOne(t.backend)).claim)
    expect(await inbox.counts()).toEqual({ ...none, pending: 1, done: 1 })
  })

  clause(
    'C-INBOX-21',
    'the oldest that is due is the one that has been due for longest, and only while it is pending',
    async (t) => {
      const { inbox } = t.backend
      const at = (hours: number) => new Date(t.clock.now() + hours * hour)
      const [first, second, later] = [at(-2), at(-1), at(1)]
      expect(await inbox.oldestDue()).toBeNull()
      await enqueueOne(t.backend, { filename: 'later.md', runAt: later })
      expect(await inbox.oldestDue()).toBeNull()
      await enqueueOne(t.backend, { filename: 'second.md', project: 'gemini', runAt: second, priority: 9 })
      expect(await inbox.oldestDue()).toEqual(second)
      await enqueueOne(t.backend, { filename: 'first.md', runAt: first })
      expect(await inbox.oldestDue()).toEqual(first)
      await claimOne(t.backend, { projects: ['apollo'] })
      expect(await inbox.oldestDue()).toEqual(second)
      await claimOne(t.backend)
      expect(await inbox.oldestDue()).toBeNull()
      await t.advance(2 * hour)
      expect(await inbox.oldestDue()).not.toBeNull()
    },
  )
}
