import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hour, type InboxOpening, listAll, openInbox, recover, task } from '../test/inbox-opening.ts'
import { crashAfter, expectTidy, finishAll, scenarios, withoutSyncs } from './inbox-faults.ts'

beforeEach(withoutSyncs)
afterEach(() => void vi.restoreAllMocks())

/** Runs the scenario with a crash at its first step, its second, … until it gets through. */
const crashEverywhere = async (run: (t: InboxOpening, crashAt: number) => Promise<boolean>): Promise<number> => {
  for (let crashAt = 0; crashAt < 500; crashAt += 1) {
    await using t = await openInbox()
    if (await run(t, crashAt)) return crashAt
  }
  throw new Error('Expected the call to get through at last.')
}

const crashed = async (call: () => Promise<unknown>, crashAt: number): Promise<boolean> => {
  const wanted = crashAfter(crashAt)
  const threw = await call().then(
    () => false,
    () => true,
  )
  const isThrough = wanted() <= crashAt
  withoutSyncs()
  expect(threw && isThrough).toBe(false)
  return !isThrough
}

describe('a crash at every system call', () => {
  for (const [name, { prepare, ends }] of Object.entries(scenarios))
    test(`[C-ALL-1] of ${name} leaves one task, which goes on, and nothing else`, async () => {
      const points = await crashEverywhere(async (t, crashAt) => {
        const { id, run } = await prepare(t)
        const peer = await t.peer()
        const isCrashed = await crashed(() => run(peer), crashAt)

        const at = `${name}, crash after ${crashAt} calls`
        const inbox = await recover(t)
        const listed = await listAll(inbox)
        expect(
          listed.map((item) => item.id),
          at,
        ).toEqual([id])
        expect(ends, at).toContain(listed[0]?.status)
        const finished = await finishAll(inbox)
        expect(finished, at).toEqual(listed[0]?.status === 'pending' ? [id] : [])
        expect(await inbox.enqueue([task()]), at).toMatchObject([{ status: 'enqueued' }])
        expect(await finishAll(inbox), at).toHaveLength(1)
        await expectTidy(t, inbox, at)
        return !isCrashed
      })
      expect(points).toBeGreaterThan(0)
    })

  for (const [identity, fields] of Object.entries({ name: {}, key: { idempotencyKey: 'key' } }))
    test(`[C-INBOX-2] of enqueue by ${identity} leaves the task or nothing, and repeating the call is safe`, async () => {
      const points = await crashEverywhere(async (t, crashAt) => {
        const peer = await t.peer()
        const isCrashed = await crashed(() => peer.enqueue([task(fields)]), crashAt)

        const at = `enqueue, crash after ${crashAt} calls`
        const inbox = await recover(t)
        const ids = (await listAll(inbox)).map(({ id }) => id)
        const [again] = await inbox.enqueue([task(fields)])
        if (ids.length > 0) expect(again, at).toEqual({ status: 'duplicate', id: ids[0] })
        else expect(again?.status, at).toBe('enqueued')
        expect(await finishAll(inbox), at).toEqual([again?.id])
        expect(await inbox.purge({ olderThan: new Date(t.clock.now() + hour) }), at).toEqual({ purged: 1 })
        await expectTidy(t, inbox, at)
        return !isCrashed
      })
      expect(points).toBeGreaterThan(10)
    })
})
