import { maxRecoveries } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueAndClaim, enqueueOne, leaseMs, tasks } from './tasks.ts'

const heir = { worker: 'heir', leaseMs }

export const inboxResume = (clause: Clause): void => {
  clause('C-INBOX-12', 'the claims of a dead holder come back at once, under a new epoch', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    t.kill('worker-1')
    const [resumed, ...others] = await t.backend.inbox.resume(heir)

    expect(others).toEqual([])
    expect(resumed).toMatchObject({ id, status: 'processing', attempts: 0, recoveries: 1, claimedBy: 'heir' })
    expect(resumed?.claim).toMatchObject({ id, worker: 'heir' })
    expect(resumed?.claim.epoch).toBeGreaterThan(claim.epoch)
    expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'lease-lost' })
    if (resumed) expect(await t.backend.inbox.complete(resumed.claim)).toEqual({ status: 'done' })
  })

  clause('C-INBOX-12', 'the claims of a living holder are left', async (t) => {
    const living = await enqueueAndClaim(t.backend, { filename: 'living.md' }, { worker: 'living' })
    const dead = await enqueueAndClaim(t.backend, { filename: 'dead.md' }, { worker: 'dead' })
    expect(await t.backend.inbox.resume(heir)).toEqual([])

    t.kill('dead')
    expect((await t.backend.inbox.resume(heir)).map(({ id }) => id)).toEqual([dead.id])
    expect(await t.backend.inbox.complete(living.claim)).toEqual({ status: 'done' })
  })

  clause('C-INBOX-12', 'a worker that says what it holds is given its claims whose answer was lost', async (t) => {
    await t.backend.inbox.enqueue(tasks(3))
    const [known, unheard] = await claimUpTo(t.backend, 2)
    const other = await claimOne(t.backend, { worker: 'worker-2' })
    const worker = known?.claim.worker ?? ''
    expect(await t.backend.inbox.resume({ worker, leaseMs })).toEqual([])

    const [resumed, ...more] = await t.backend.inbox.resume({ worker, leaseMs, held: [known?.id ?? ''] })
    expect(more).toEqual([])
    expect(resumed).toMatchObject({ id: unheard?.id, recoveries: 1, claimedBy: worker })
    expect(resumed?.claim.epoch).toBeGreaterThan(unheard?.claim.epoch ?? 0)
    for (const claim of [known?.claim, resumed?.claim, other.claim])
      if (claim) expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'done' })
  })

  clause('C-INBOX-12', 'pending, done and failed tasks of a dead holder are not resumed', async (t) => {
    await t.backend.inbox.enqueue(tasks(3))
    const [first, second, third] = await claimUpTo(t.backend, 3)
    if (first) await t.backend.inbox.complete(first.claim)
    if (second) await t.backend.inbox.fail(second.claim, 'no', { fatal: true })
    if (third) await t.backend.inbox.release(third.claim)
    t.kill('worker-1')

    expect(await t.backend.inbox.resume(heir)).toEqual([])
    expect(await t.backend.inbox.counts()).toEqual({ pending: 1, processing: 0, done: 1, failed: 1 })
  })

  clause('C-INBOX-12', 'the bound issue number comes with it and stays its own', async (t) => {
    const { claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.bind(claim, { issueNumber: '7' })
    t.kill('worker-1')
    const [resumed] = await t.backend.inbox.resume(heir)
    expect(resumed?.issueNumber).toBe('7')

    const other = await enqueueAndClaim(t.backend, { filename: 'other.md' }, { worker: 'worker-2' })
    expect(await t.backend.inbox.bind(other.claim, { issueNumber: '7' })).toEqual({ status: 'busy' })
    if (resumed)
      expect(await t.backend.inbox.bind(resumed.claim, { issueNumber: '7' })).toMatchObject({ status: 'bound' })
  })

  clause('C-INBOX-12', 'a task whose issue another runs by now waits instead', async (t) => {
    const first = await enqueueAndClaim(t.backend)
    await t.backend.inbox.bind(first.claim, { issueNumber: '7' })
    await t.backend.inbox.release(first.claim)
    await claimOne(t.backend, { worker: 'dead' })
    const other = await enqueueAndClaim(t.backend, { filename: 'other.md' })
    await t.backend.inbox.bind(other.claim, { issueNumber: '7' })
    t.kill('dead')

    expect(await t.backend.inbox.resume(heir)).toEqual([])
    expect(await t.backend.inbox.load(first.id)).toMatchObject({ status: 'pending', issueNumber: '7', claimedBy: null })
  })

  clause('C-INBOX-12', 'a resumed claim has a whole lease before it', async (t) => {
    const { id } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.sweep()
    await t.advance(leaseMs - 5000)
    t.kill('worker-1')
    await t.backend.inbox.resume(heir)
    await t.advance(10_000)
    expect(await t.backend.inbox.sweep()).toEqual({ freed: [], failed: [] })
    await t.advance(leaseMs)
    expect(await t.backend.inbox.sweep()).toEqual({ freed: [id], failed: [] })
  })

  clause('C-INBOX-12', 'two heirs share a dead holder’s tasks, each one once', async (t) => {
    const peer = await t.peer()
    await t.backend.inbox.enqueue(tasks(6))
    await claimUpTo(t.backend, 6)
    t.kill('worker-1')
    const resumed = await Promise.all([
      t.backend.inbox.resume(heir),
      peer.inbox.resume({ worker: 'other-heir', leaseMs }),
    ])

    expect(new Set(resumed.flat().map(({ id }) => id)).size).toBe(6)
    expect(resumed.flat()).toHaveLength(6)
  })

  clause('C-INBOX-12', 'a task whose holders keep dying is a dead letter', async (t) => {
    const id = await enqueueOne(t.backend)
    await claimOne(t.backend, { worker: 'host-0' })
    for (let n = 1; n <= maxRecoveries; n += 1) {
      t.kill(`host-${n - 1}`)
      expect(await t.backend.inbox.resume({ worker: `host-${n}`, leaseMs })).toMatchObject([{ id, recoveries: n }])
    }
    t.kill(`host-${maxRecoveries}`)
    expect(await t.backend.inbox.resume(heir)).toEqual([])
    const crashed = { status: 'failed', error: expect.stringContaining('crash loop') }
    expect(await t.backend.inbox.load(id)).toMatchObject(crashed)
  })
}
