import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, enqueueAndClaim, enqueueOne, leaseMs, task } from './tasks.ts'

export const inboxIdentity = (clause: Clause): void => {
  clause('C-INBOX-2', 'the same name is a duplicate while it is pending and while it is processed', async (t) => {
    const id = await enqueueOne(t.backend)
    expect(await t.backend.inbox.enqueue([task({ markdown: 'other words' })])).toEqual([{ status: 'duplicate', id }])

    await claimOne(t.backend)
    expect(await t.backend.inbox.enqueue([task()])).toEqual([{ status: 'duplicate', id }])
    expect((await t.backend.inbox.load(id))?.markdown).toBe(task().markdown)
  })

  clause('C-INBOX-2', 'the same name is a new task once the first is done, or a dead letter', async (t) => {
    const first = await enqueueAndClaim(t.backend)
    await t.backend.inbox.complete(first.claim)
    const second = await enqueueAndClaim(t.backend)
    await t.backend.inbox.fail(second.claim, 'no', { fatal: true })

    const third = await enqueueOne(t.backend)
    expect(new Set([first.id, second.id, third]).size).toBe(3)
  })

  clause('C-INBOX-2', 'a retry keeps its name: still a duplicate', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.fail(claim, 'again')

    expect(await t.backend.inbox.enqueue([task()])).toEqual([{ status: 'duplicate', id }])
  })

  clause('C-INBOX-2', 'project, workspace and filename all belong to the name', async (t) => {
    const others = [task({ project: 'gemini' }), task({ workspace: '/elsewhere' }), task({ filename: 'other.md' })]
    const results = await t.backend.inbox.enqueue([task(), ...others])

    expect(results.map(({ status }) => status)).toEqual(['enqueued', 'enqueued', 'enqueued', 'enqueued'])
  })

  clause('C-INBOX-2', 'parts of a name cannot be shifted into one another', async (t) => {
    const results = await t.backend.inbox.enqueue([
      task({ workspace: 'a', filename: 'b-c.md' }),
      task({ workspace: 'a-b', filename: 'c.md' }),
      task({ workspace: 'a/b', filename: 'c.md' }),
      task({ workspace: 'a:b', filename: 'c.md' }),
      task({ workspace: 'a', filename: 'b:c.md' }),
    ])
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'enqueued'))
  })

  clause('C-INBOX-2', 'twins inside one batch are found', async (t) => {
    const [first, second, third] = await t.backend.inbox.enqueue([task(), task(), task({ filename: 'other.md' })])

    expect(second).toEqual({ status: 'duplicate', id: first?.id })
    expect(third?.status).toBe('enqueued')
  })

  clause('C-INBOX-2', "the caller's key is the identity, whatever the name, and outlives the task", async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend, { idempotencyKey: 'mail-1' })
    const again = task({ idempotencyKey: 'mail-1', project: 'gemini', filename: 'renamed.md' })
    expect(await t.backend.inbox.enqueue([again])).toEqual([{ status: 'duplicate', id }])

    await t.backend.inbox.complete(claim)
    expect(await t.backend.inbox.enqueue([again])).toEqual([{ status: 'duplicate', id }])
    expect(await t.backend.inbox.enqueue([task({ idempotencyKey: 'mail-2' })])).toMatchObject([{ status: 'enqueued' }])
  })

  clause('C-INBOX-2', 'two keys are two tasks even under one name; one key twice in a batch is one', async (t) => {
    const results = await t.backend.inbox.enqueue([
      task({ idempotencyKey: 'k1' }),
      task({ idempotencyKey: 'k2' }),
      task({ idempotencyKey: 'k1', filename: 'other.md' }),
    ])
    expect(results.map(({ status }) => status)).toEqual(['enqueued', 'enqueued', 'duplicate'])
    expect(results[2]?.id).toBe(results[0]?.id)
  })

  clause(
    'C-INBOX-2',
    'a task without a key is none the less enqueued beside one of its name that has a key',
    async (t) => {
      const keyed = await enqueueOne(t.backend, { idempotencyKey: 'k1' })
      const unkeyed = await enqueueOne(t.backend)
      expect(unkeyed).not.toBe(keyed)
      expect(await t.backend.inbox.enqueue([task()])).toEqual([{ status: 'duplicate', id: unkeyed }])
      expect((await claimOne(t.backend)).id).toBe(keyed)
      expect(await t.backend.inbox.claim({ worker: 'worker-2', leaseMs, limit: 10 })).toEqual([])
    },
  )

  clause('C-INBOX-2', 'a key is not taken for a name', async (t) => {
    await enqueueOne(t.backend, { idempotencyKey: 'fix-login.md' })
    await enqueueOne(t.backend, { filename: 'other.md', idempotencyKey: 'apollo' })
    await enqueueOne(t.backend, { filename: 'third.md' })
  })
}
