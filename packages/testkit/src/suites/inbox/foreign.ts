import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimSettled, claimUpTo, enqueueOne, hour, task } from './tasks.ts'

const dropped = { project: 'apollo', filename: 'by-hand.md', markdown: '# By hand\n\nOne sentence.\n' }

/** A person's file knows no workspace; where another program's row does, it has none here either. */
const enqueued = { ...dropped, workspace: '' }

export const inboxForeign = (clause: Clause): void => {
  clause('C-INBOX-18', 'a task that somebody else made is listed, claimed and completed', async (t) => {
    await t.foreign.insertInboxTask(dropped)
    await t.advance(5000)
    const { items } = await t.backend.inbox.list({ project: 'apollo' })
    expect(items).toMatchObject([{ ...dropped, status: 'pending', attempts: 0 }])
    expect((await t.backend.inbox.counts()).pending).toBe(1)

    const [claimed, ...others] = await claimSettled(t)
    expect(others).toEqual([])
    expect(claimed).toMatchObject({ ...dropped, status: 'processing' })
    if (!claimed) return
    expect(await t.backend.inbox.complete(claimed.claim)).toEqual({ status: 'done' })
    expect(await t.backend.inbox.load(claimed.id)).toMatchObject({ ...dropped, status: 'done' })
    expect(await claimSettled(t)).toEqual([])
  })

  clause('C-INBOX-18', 'a task that somebody else made is bound, retried and survives a restart', async (t) => {
    await t.foreign.insertInboxTask(dropped)
    const [first] = await claimSettled(t)
    if (!first) throw new Error('Expected the foreign task.')
    expect(await t.backend.inbox.bind(first.claim, { issueNumber: '7' })).toMatchObject({ status: 'bound' })
    expect(await t.backend.inbox.fail(first.claim, 'no')).toMatchObject({ status: 'retrying', attempts: 1 })
    await t.reopen()
    await t.advance(hour)

    const [second] = await claimSettled(t)
    expect(second).toMatchObject({ id: first.id, ...dropped, attempts: 1, issueNumber: '7' })
  })

  clause('C-INBOX-18', 'a task that somebody else made can be cancelled and requeued', async (t) => {
    await t.foreign.insertInboxTask(dropped)
    await t.advance(5000)
    const [listed] = (await t.backend.inbox.list()).items
    const id = listed?.id ?? ''
    expect(await t.backend.inbox.cancel(id)).toEqual({ status: 'cancelled' })
    expect(await claimSettled(t)).toEqual([])
    expect(await t.backend.inbox.requeue(id)).toEqual({ status: 'requeued' })
    expect((await claimSettled(t)).map((claimed) => claimed.id)).toEqual([id])
  })

  clause(
    'C-INBOX-2',
    'a task of the same name that somebody else made is a duplicate, pending or processed',
    async (t) => {
      await t.foreign.insertInboxTask(dropped)
      await t.advance(5000)
      const [pending] = await t.backend.inbox.enqueue([enqueued])
      expect(pending?.status).toBe('duplicate')

      const [claimed] = await claimSettled(t)
      if (!claimed) throw new Error('Expected the foreign task.')
      expect(await t.backend.inbox.enqueue([enqueued])).toEqual([{ status: 'duplicate', id: claimed.id }])
      await t.backend.inbox.complete(claimed.claim)
      expect(await t.backend.inbox.enqueue([enqueued])).toMatchObject([{ status: 'enqueued' }])
    },
  )

  clause('C-INBOX-2', 'our own task never keeps somebody else from adding one of the same name', async (t) => {
    await enqueueOne(t.backend, enqueued)
    await t.foreign.insertInboxTask(dropped)
    await t.advance(5000)

    expect((await t.backend.inbox.list({ status: 'pending' })).items).toHaveLength(2)
  })

  clause('C-INBOX-6', 'of a name that somebody else added beside ours one is claimed at a time', async (t) => {
    await enqueueOne(t.backend, enqueued)
    await t.foreign.insertInboxTask(dropped)
    const [first, ...beside] = await claimSettled(t)
    expect(beside).toEqual([])
    if (!first) throw new Error('Expected one of the two.')
    await t.backend.inbox.complete(first.claim)

    const [second, ...rest] = await claimSettled(t)
    expect(rest).toEqual([])
    expect(second).toMatchObject(dropped)
    expect(second?.id).not.toBe(first.id)
  })

  clause('C-INBOX-14', 'a dead letter is not requeued beside a task that somebody else made', async (t) => {
    const id = await enqueueOne(t.backend, enqueued)
    const [claimed] = await claimUpTo(t.backend, 1)
    if (claimed) await t.backend.inbox.fail(claimed.claim, 'no', { fatal: true })
    await t.foreign.insertInboxTask(dropped)
    await t.advance(5000)

    expect(await t.backend.inbox.requeue(id)).toMatchObject({ status: 'duplicate' })
    expect((await t.backend.inbox.load(id))?.status).toBe('failed')
  })

  clause('C-INBOX-18', 'tasks of both kinds stand in one queue, fair to every project', async (t) => {
    await t.foreign.insertInboxTask({ ...dropped, project: 'gemini' })
    await t.backend.inbox.enqueue([task(), task({ filename: 'b.md' }), task({ filename: 'c.md' })])
    await t.advance(5000)
    await claimUpTo(t.backend, 10, { projects: ['gemini'] }).then((early) =>
      Promise.all(early.map(({ claim }) => t.backend.inbox.release(claim))),
    )
    await t.advance(5000)

    const claimed = await claimUpTo(t.backend, 2)
    expect(claimed.map(({ project }) => project).sort()).toEqual(['apollo', 'gemini'])
  })
}
