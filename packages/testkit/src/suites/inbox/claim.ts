import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueAndClaim, enqueueOne, hour, task, tasks } from './tasks.ts'

export const inboxClaim = (clause: Clause): void => {
  clause('C-INBOX-3', 'a claimed task is not claimed again, by nobody', async (t) => {
    const peer = await t.peer()
    const claimed = await enqueueAndClaim(t.backend)

    expect(claimed).toMatchObject({ status: 'processing', claimedBy: 'worker-1', claim: { worker: 'worker-1' } })
    expect(await claimUpTo(t.backend, 10)).toEqual([])
    expect(await claimUpTo(peer, 10, { worker: 'worker-2' })).toEqual([])
    expect(await peer.inbox.load(claimed.id)).toMatchObject({ status: 'processing', claimedBy: 'worker-1' })
  })

  clause('C-INBOX-3', 'a claim takes at most its limit, and each task once', async (t) => {
    await t.backend.inbox.enqueue(tasks(5))
    const taken = [await claimUpTo(t.backend, 2), await claimUpTo(t.backend, 2), await claimUpTo(t.backend, 2)]

    expect(taken.map(({ length }) => length)).toEqual([2, 2, 1])
    expect(new Set(taken.flat().map(({ id }) => id)).size).toBe(5)
  })

  clause('C-INBOX-3', 'the text of the task comes with the claim, and an empty inbox gives none', async (t) => {
    expect(await claimUpTo(t.backend, 1)).toEqual([])
    const claimed = await enqueueAndClaim(t.backend, { markdown: '# One\r\n\ttwo', issueNumber: '7', maxAttempts: 5 })

    expect(claimed).toMatchObject({ ...task(), markdown: '# One\r\n\ttwo', issueNumber: '7', maxAttempts: 5 })
  })

  clause('C-INBOX-3', 'what ended is not claimed', async (t) => {
    const done = await enqueueAndClaim(t.backend)
    await t.backend.inbox.complete(done.claim)
    const failed = await enqueueAndClaim(t.backend)
    await t.backend.inbox.fail(failed.claim, 'no', { fatal: true })
    await t.advance(hour)

    expect(await claimUpTo(t.backend, 10)).toEqual([])
  })

  clause('C-INBOX-4', 'a claim can be held to some projects', async (t) => {
    await t.backend.inbox.enqueue(['apollo', 'gemini', 'mercury'].flatMap((project) => tasks(2, { project })))
    const claimed = await claimUpTo(t.backend, 10, { projects: ['gemini', 'mercury', 'nobody'] })

    expect(claimed.map(({ project }) => project).sort()).toEqual(['gemini', 'gemini', 'mercury', 'mercury'])
  })

  clause('C-INBOX-5', 'a task is claimed when it is due, not before', async (t) => {
    const id = await enqueueOne(t.backend, { runAt: new Date(t.clock.now() + hour) })
    expect(await claimUpTo(t.backend, 10)).toEqual([])

    await t.advance(hour / 2)
    expect(await claimUpTo(t.backend, 10)).toEqual([])

    await t.advance(hour / 2 + 60_000)
    expect((await claimOne(t.backend)).id).toBe(id)
  })

  clause('C-INBOX-5', 'a task that waits does not hold up those that are due', async (t) => {
    await enqueueOne(t.backend, { filename: 'later.md', priority: 100, runAt: new Date(t.clock.now() + hour) })
    const due = await enqueueOne(t.backend, { filename: 'now.md' })

    expect((await claimUpTo(t.backend, 10)).map(({ id }) => id)).toEqual([due])
  })

  clause(
    'C-INBOX-5',
    'many that wait, at any priority, change nothing in the order of those that are due',
    async (t) => {
      const later = new Date(t.clock.now() + hour)
      const waiting = Array.from({ length: 60 }, (_, n) =>
        task({ filename: `later${n}.md`, priority: (n % 7) - 3, runAt: later }),
      )
      const due = [2, -3, 0, 1].map((priority) => task({ filename: `${priority}.md`, priority }))
      await t.backend.inbox.enqueue([...waiting, ...due])

      expect((await claimUpTo(t.backend, 2)).map(({ filename }) => filename)).toEqual(['2.md', '1.md'])
      expect((await claimUpTo(t.backend, 10)).map(({ filename }) => filename)).toEqual(['0.md', '-3.md'])
    },
  )

  clause('C-INBOX-6', 'many tasks of one name hold up none of the others behind them', async (t) => {
    const twins = Array.from({ length: 90 }, (_, n) => task({ idempotencyKey: `twin${n}`, priority: n % 2 }))
    const others = Array.from({ length: 12 }, (_, n) => task({ filename: `${n}.md` }))
    await t.backend.inbox.enqueue([...twins, ...others])
    const first = await claimUpTo(t.backend, 10)
    expect(first.map(({ filename }) => filename)).toEqual([
      task().filename,
      ...others.slice(0, 9).map((o) => o.filename),
    ])
    expect(first[0]?.idempotencyKey).toBe('twin1')

    expect((await claimUpTo(t.backend, 10)).map(({ filename }) => filename)).toEqual(
      others.slice(9).map(({ filename }) => filename),
    )
  })

  clause('C-INBOX-6', 'two tasks of one name are processed one after the other', async (t) => {
    await t.backend.inbox.enqueue([task({ idempotencyKey: 'k1' }), task({ idempotencyKey: 'k2' })])
    const [first, ...beside] = await claimUpTo(t.backend, 10)
    expect(beside).toEqual([])
    expect(await claimUpTo(t.backend, 10)).toEqual([])

    if (first) await t.backend.inbox.complete(first.claim)
    const [second, ...rest] = await claimUpTo(t.backend, 10)
    expect(rest).toEqual([])
    expect(second?.id).toEqual(expect.any(String))
    expect(second?.id).not.toBe(first?.id)
  })

  clause('C-INBOX-6', 'a task behind a name that is processed does not hold up the others', async (t) => {
    await enqueueAndClaim(t.backend, { idempotencyKey: 'k1' })
    await enqueueOne(t.backend, { idempotencyKey: 'k2', priority: 100 })
    const free = await enqueueOne(t.backend, { filename: 'other.md' })
    const elsewhere = await enqueueOne(t.backend, { workspace: '/elsewhere' })

    expect((await claimUpTo(t.backend, 10)).map(({ id }) => id).sort()).toEqual([free, elsewhere].sort())
  })

  clause('C-INBOX-6', 'the next of a name goes when the first is released or fails, too', async (t) => {
    const first = await enqueueAndClaim(t.backend, { idempotencyKey: 'k1' })
    const next = await enqueueOne(t.backend, { idempotencyKey: 'k2' })
    await t.backend.inbox.fail(first.claim, 'wait', { retryAt: new Date(t.clock.now() + hour) })

    expect((await claimUpTo(t.backend, 10)).map(({ id }) => id)).toEqual([next])
  })
}
