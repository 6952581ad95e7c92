import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { claimUpTo, enqueueAndClaim, enqueueOne, leaseMs, sweepAfterLease, task } from './tasks.ts'

/** Sets the documented `status` alone, as a program does that knows nothing else. */
export type SetForeignStatus = (t: Harness, id: string, status: string) => Promise<void>

/** For backends where another program can write the status of a task; on files there is no such place. */
export const inboxForeignClaim =
  (setStatus: SetForeignStatus) =>
  (clause: Clause): void => {
    clause('C-INBOX-11', 'a foreign claim is held by nobody we know and never swept', async (t) => {
      const id = await enqueueOne(t.backend)
      await setStatus(t, id, 'processing')
      expect(await t.backend.inbox.load(id)).toMatchObject({ status: 'processing', claimedBy: null })

      expect(await sweepAfterLease(t)).toEqual({ freed: [], failed: [] })
      expect(await sweepAfterLease(t)).toEqual({ freed: [], failed: [] })
      expect(await claimUpTo(t.backend, 1)).toEqual([])
    })

    clause('C-INBOX-14', 'a foreign claim is requeued by a person', async (t) => {
      const id = await enqueueOne(t.backend)
      await setStatus(t, id, 'processing')

      expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'requeued' })
      expect((await claimUpTo(t.backend, 1)).map((claimed) => claimed.id)).toEqual([id])
    })

    clause('C-INBOX-6', 'a name that another program processes is not claimed', async (t) => {
      const [first] = await t.backend.inbox.enqueue([task({ idempotencyKey: 'k1' }), task({ idempotencyKey: 'k2' })])
      await setStatus(t, first?.id ?? '', 'processing')
      expect(await claimUpTo(t.backend, 10)).toEqual([])

      await setStatus(t, first?.id ?? '', 'done')
      expect(await claimUpTo(t.backend, 10)).toHaveLength(1)
    })

    clause('C-INBOX-7', 'a holder whose task another program ended or took has lost it', async (t) => {
      for (const status of ['done', 'failed', 'pending']) {
        const { id, claim } = await enqueueAndClaim(t.backend, { filename: `${status}.md` })
        await setStatus(t, id, status)
        expect(await t.backend.inbox.fail(claim, 'too late'), status).toEqual({ status: 'lease-lost' })
        expect(await t.backend.inbox.load(id)).toMatchObject({ status, attempts: 0 })
        await setStatus(t, id, 'processing')
        expect(await t.backend.inbox.complete(claim), status).toEqual({ status: 'lease-lost' })
      }
    })

    clause('C-INBOX-7', 'a holder that completes what another program called done finds it done', async (t) => {
      const { id, claim } = await enqueueAndClaim(t.backend)
      await setStatus(t, id, 'done')
      expect(await t.backend.inbox.complete({ ...claim, worker: 'worker-2' })).toEqual({ status: 'lease-lost' })
      expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'done' })
      expect(await t.backend.inbox.heartbeat([claim])).toEqual({ lost: [claim], cancelRequested: [] })
    })

    clause('C-INBOX-7', 'so where that program had taken it off the queue before', async (t) => {
      const { id, claim } = await enqueueAndClaim(t.backend)
      await setStatus(t, id, 'archived')
      expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'lease-lost' })
      expect(await t.backend.inbox.load(id)).toMatchObject({ status: 'archived', processedAt: expect.any(Date) })
      await setStatus(t, id, 'done')
      expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'done' })
    })

    clause(
      'C-INBOX-7',
      'a claim that was taken back stays lost, though another program calls its task done',
      async (t) => {
        const takeBack = {
          sweep: () => sweepAfterLease(t),
          resume: () => t.backend.inbox.resume({ worker: 'heir', leaseMs }),
        }
        for (const [name, take] of Object.entries(takeBack)) {
          const { id, claim } = await enqueueAndClaim(t.backend, { filename: `${name}.md` }, { worker: `${name}er` })
          await t.backend.inbox.cancel(id)
          if (name === 'resume') t.kill(claim.worker)
          await take()
          expect([name, (await t.backend.inbox.load(id))?.status]).toEqual([name, 'failed'])
          await setStatus(t, id, 'done')
          expect([name, await t.backend.inbox.complete(claim)]).toEqual([name, { status: 'lease-lost' }])
        }
      },
    )

    clause('C-INBOX-13', 'another program that ends a task gives its issue free', async (t) => {
      const first = await enqueueAndClaim(t.backend, { filename: 'a.md' })
      const second = await enqueueAndClaim(t.backend, { filename: 'b.md' })
      await t.backend.inbox.bind(first.claim, { issueNumber: '7' })
      await setStatus(t, first.id, 'done')

      expect(await t.backend.inbox.bind(second.claim, { issueNumber: '7' })).toMatchObject({ status: 'bound' })
      expect(await t.backend.inbox.enqueue([task({ filename: 'a.md' })])).toMatchObject([{ status: 'enqueued' }])
    })
  }
