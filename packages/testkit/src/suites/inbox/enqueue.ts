import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, enqueueOne, hour, task, tasks } from './tasks.ts'

export const inboxEnqueue = (clause: Clause): void => {
  clause('C-INBOX-1', 'a task comes back with every field it was given', async (t) => {
    const runAt = new Date(t.clock.now() + hour)
    const given = task({ priority: -7, runAt, maxAttempts: 9, idempotencyKey: 'mail/4711', issueNumber: '42' })
    const id = await enqueueOne(t.backend, given)

    expect(await t.backend.inbox.load(id)).toMatchObject({
      ...given,
      id,
      status: 'pending',
      attempts: 0,
      recoveries: 0,
      error: null,
      claimedBy: null,
      cancelRequested: false,
      processedAt: null,
    })
  })

  clause('C-INBOX-1', 'what is not given has its default, and is due at once', async (t) => {
    const [result] = await t.backend.inbox.enqueue([{ project: 'apollo', filename: 'a.md', markdown: 'text' }])
    const loaded = await t.backend.inbox.load(result?.id ?? '')

    expect(loaded).toMatchObject({
      workspace: '',
      priority: 0,
      maxAttempts: 3,
      idempotencyKey: null,
      issueNumber: null,
    })
    expect(Math.abs((loaded?.createdAt.getTime() ?? 0) - t.clock.now())).toBeLessThan(60_000)
    expect((await claimOne(t.backend)).id).toBe(result?.id)
  })

  clause('C-INBOX-1', 'hundreds at once are answered one by one, in order', async (t) => {
    const batch = [...tasks(300, { project: 'apollo' }), ...tasks(300, { project: 'gemini' })]
    const results = await t.backend.inbox.enqueue(batch)

    expect(results.map(({ status }) => status)).toEqual(batch.map(() => 'enqueued'))
    expect(new Set(results.map(({ id }) => id)).size).toBe(600)
    for (const n of [0, 299, 300, 599])
      expect(await t.backend.inbox.load(results[n]?.id ?? '')).toMatchObject(batch[n] ?? {})
    expect((await t.backend.inbox.counts()).pending).toBe(600)
  })

  clause('C-INBOX-1', 'no tasks are no answers', async (t) => {
    expect(await t.backend.inbox.enqueue([])).toEqual([])
  })

  clause('C-INBOX-1', 'an answer in the middle of a batch says duplicate', async (t) => {
    const id = await enqueueOne(t.backend, { filename: 'b.md' })
    const results = await t.backend.inbox.enqueue(['a.md', 'b.md', 'c.md'].map((filename) => task({ filename })))

    expect(results.map(({ status }) => status)).toEqual(['enqueued', 'duplicate', 'enqueued'])
    expect(results[1]?.id).toBe(id)
  })

  clause('C-INBOX-1', 'a number out of range is invalid and nothing of the batch is written', async (t) => {
    const wrong = [
      { priority: 101 },
      { priority: -101 },
      { priority: 0.5 },
      { maxAttempts: 0 },
      { runAt: new Date('no') },
    ]
    for (const fields of wrong)
      await expect(
        t.backend.inbox.enqueue([task({ filename: 'good.md' }), task(fields)]),
        JSON.stringify(fields),
      ).rejects.toMatchObject({ code: 'invalid' })

    expect((await t.backend.inbox.list()).items).toEqual([])
  })
}
