import type { Backend, ClaimedTask } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { claimUpTo, enqueueAndClaim, enqueueOne, leaseMs, task, tasks } from './tasks.ts'

const openings = async (t: Harness): Promise<Backend[]> => [t.backend, await t.peer(), await t.peer()]

/** Claims and completes until nothing is left to claim. */
const drain = async (backend: Backend, worker: string): Promise<ClaimedTask[]> => {
  const taken: ClaimedTask[] = []
  for (;;) {
    const claimed = await claimUpTo(backend, 3, { worker })
    if (claimed.length === 0) return taken
    taken.push(...claimed)
    for (const { claim } of claimed) expect(await backend.inbox.complete(claim)).toEqual({ status: 'done' })
  }
}

export const inboxClaimRaces = (clause: Clause): void => {
  clause('C-INBOX-3', 'stores that race for many tasks take each one once', async (t) => {
    const backends = await openings(t)
    await t.backend.inbox.enqueue(['apollo', 'gemini'].flatMap((project) => tasks(20, { project })))
    const raced = await Promise.all(backends.map((backend, n) => drain(backend, `worker-${n}`)))
    // A store that lost every race may have found nothing while the others were still at it.
    const taken = [...raced.flat(), ...(await drain(t.backend, 'worker-last'))]

    expect(taken).toHaveLength(40)
    expect(new Set(taken.map(({ id }) => id)).size).toBe(40)
    expect(await t.backend.inbox.counts()).toEqual({ pending: 0, processing: 0, done: 40, failed: 0 })
  })

  clause('C-INBOX-3', 'of many claims of one task one gets it', async (t) => {
    const backends = await openings(t)
    for (let round = 0; round < 5; round += 1) {
      const id = await enqueueOne(t.backend, { filename: `${round}.md` })
      const claims = Array.from({ length: 9 }, (_, n) =>
        claimUpTo(backends[n % 3] ?? t.backend, 1, { worker: `worker-${n}` }),
      )
      expect((await Promise.all(claims)).flat().map((claimed) => claimed.id)).toEqual([id])
    }
  })

  clause('C-INBOX-6', 'stores that race for two tasks of one name do not process both', async (t) => {
    const backends = await openings(t)
    for (let round = 0; round < 5; round += 1) {
      const filename = `${round}.md`
      await t.backend.inbox.enqueue([
        task({ filename, idempotencyKey: `a${round}` }),
        task({ filename, idempotencyKey: `b${round}` }),
      ])
    }
    const raced = await Promise.all(backends.map((backend, n) => claimUpTo(backend, 10, { worker: `worker-${n}` })))
    const filenames = raced.flat().map(({ filename }) => filename)
    expect(new Set(filenames).size).toBe(filenames.length)
  })
}

export const inboxEnqueueRaces = (clause: Clause): void => {
  clause('C-INBOX-2', 'of racing enqueues of one name one is kept, and all are told which', async (t) => {
    const backends = await openings(t)
    for (const fields of [{}, { idempotencyKey: 'key' }]) {
      const raced = await Promise.all(
        Array.from({ length: 9 }, (_, n) =>
          (backends[n % 3] ?? t.backend).inbox.enqueue([
            task({ filename: `${Object.keys(fields).length}.md`, ...fields }),
          ]),
        ),
      )
      const results = raced.flat()
      expect(results.filter(({ status }) => status === 'enqueued')).toHaveLength(1)
      expect(new Set(results.map(({ id }) => id)).size).toBe(1)
    }
    expect((await t.backend.inbox.counts()).pending).toBe(2)
  })

  clause('C-INBOX-2', 'batches that race over the same names in another order end with one of each', async (t) => {
    const peer = await t.peer()
    const batch = tasks(12)
    const raced = await Promise.all([t.backend.inbox.enqueue(batch), peer.inbox.enqueue(batch.toReversed())])

    expect(raced.flat().filter(({ status }) => status === 'enqueued')).toHaveLength(12)
    expect(raced[1].map(({ id }) => id).toReversed()).toEqual(raced[0].map(({ id }) => id))
  })
}

export const inboxHolderRaces = (clause: Clause): void => {
  clause('C-INBOX-13', 'of racing binds of one issue one wins', async (t) => {
    const peer = await t.peer()
    for (let round = 0; round < 5; round += 1) {
      const first = await enqueueAndClaim(t.backend, { filename: `${round}-a.md` })
      const second = await enqueueAndClaim(t.backend, { filename: `${round}-b.md` })
      const issueNumber = `${round}`
      const answers = await Promise.all([
        t.backend.inbox.bind(first.claim, { issueNumber }),
        peer.inbox.bind(second.claim, { issueNumber }),
      ])
      expect(answers.map(({ status }) => status).sort()).toEqual(['bound', 'busy'])
    }
  })

  clause('C-INBOX-7', 'a holder that completes while it is swept has either done it or lost it', async (t) => {
    const peer = await t.peer()
    for (let round = 0; round < 5; round += 1) {
      const { id, claim } = await enqueueAndClaim(t.backend, { filename: `${round}.md`, priority: 100 - round })
      await peer.inbox.sweep()
      await t.advance(leaseMs + 1000)
      const [completed, swept] = await Promise.all([t.backend.inbox.complete(claim), peer.inbox.sweep()])
      const ended = await t.backend.inbox.load(id)

      if (completed.status === 'done') expect([swept.freed, ended?.status]).toEqual([[], 'done'])
      else expect([swept.freed, ended?.status]).toEqual([[id], 'pending'])
      if (ended?.status === 'pending') await t.backend.inbox.cancel(id)
    }
  })

  clause('C-INBOX-7', 'of a racing completion, failure and release one happens', async (t) => {
    const peer = await t.peer()
    for (let round = 0; round < 5; round += 1) {
      const { id, claim } = await enqueueAndClaim(t.backend, { filename: `${round}.md`, maxAttempts: 1 })
      const answers = await Promise.all([
        t.backend.inbox.complete(claim),
        peer.inbox.fail(claim, 'no'),
        t.backend.inbox.release(claim),
      ])
      const happened = answers.map(({ status }) => status).filter((status) => status !== 'lease-lost')
      expect(happened).toHaveLength(1)
      const after: Record<string, string> = { done: 'done', failed: 'failed', released: 'pending' }
      expect((await t.backend.inbox.load(id))?.status).toBe(after[happened[0] ?? ''])
      await t.backend.inbox.cancel(id)
    }
  })
}

export const inboxOperatorRaces = (clause: Clause): void => {
  clause('C-INBOX-14', 'a requeue and an enqueue that race leave one live task of the name', async (t) => {
    const peer = await t.peer()
    for (let round = 0; round < 5; round += 1) {
      const filename = `${round}.md`
      const { id, claim } = await enqueueAndClaim(t.backend, { filename, priority: 100 - round })
      await t.backend.inbox.fail(claim, 'no', { fatal: true })
      const [requeued, enqueued] = await Promise.all([
        t.backend.inbox.requeue(id),
        peer.inbox.enqueue([task({ filename })]),
      ])
      expect([requeued.status, enqueued[0]?.status]).toContain('duplicate')
      const live = (await t.backend.inbox.list({ status: 'pending' })).items.filter(
        (item) => item.filename === filename,
      )
      expect(live).toHaveLength(1)
      await t.backend.inbox.cancel(live[0]?.id ?? '')
    }
  })

  clause('C-INBOX-15', 'a cancel and a claim that race leave it cancelled or its holder asked', async (t) => {
    const peer = await t.peer()
    for (let round = 0; round < 5; round += 1) {
      const id = await enqueueOne(t.backend, { filename: `${round}.md` })
      const [cancelled, claimed] = await Promise.all([t.backend.inbox.cancel(id), claimUpTo(peer, 1)])
      const ended = await t.backend.inbox.load(id)

      if (cancelled.status === 'cancelled') expect([claimed, ended?.status]).toEqual([[], 'failed'])
      else expect([claimed.length, ended?.status, ended?.cancelRequested]).toEqual([1, 'processing', true])
    }
  })
}
