import type { InboxStore } from '@nexus/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { leftoverMs } from '../src/inbox/clean-up.ts'
import { flags, sys } from '../src/syscalls.ts'
import {
  claimOne,
  claimUpTo,
  enqueueOne,
  hiddenFiles,
  hour,
  type InboxOpening,
  leaseMs,
  listAll,
  openInbox,
  recover,
  task,
} from './inbox-opening.ts'

class Crash extends Error {}

type Step = 'rename' | 'link' | 'unlink' | 'rmdir' | 'mkdir' | 'write' | 'fsync' | 'futimes' | 'open'
const steps: readonly Step[] = ['rename', 'link', 'unlink', 'rmdir', 'mkdir', 'write', 'fsync', 'futimes', 'open']

/**
 * Lets the first `count` system calls that change something happen and none after: what a process leaves that is killed
 * there. Answers how many were wanted.
 */
const crashAfter = (count: number): (() => number) => {
  let wanted = 0
  const isFatal = (): boolean => {
    wanted += 1
    return wanted > count
  }
  for (const step of steps) {
    const real = sys[step] as (...args: unknown[]) => Promise<unknown>
    const changes = (args: unknown[]): boolean => step !== 'open' || (Number(args[1]) & flags.O_CREAT) !== 0
    vi.spyOn(sys, step).mockImplementation((async (...args: unknown[]) => {
      if (changes(args) && isFatal()) throw new Crash(step)
      return step === 'fsync' ? undefined : real(...args)
    }) as never)
  }
  return () => wanted
}

interface Scenario {
  /** Tasks that must exist exactly once afterwards. */
  prepare(t: InboxOpening): Promise<{ id: string; run(inbox: InboxStore): Promise<unknown> }>
  /** What the task may have become, where the crash kept the answer from its caller. */
  ends: readonly string[]
}

const held = async (t: InboxOpening) => {
  await enqueueOne(t.inbox)
  return claimOne(t.inbox)
}

const scenarios: Record<string, Scenario> = {
  claim: {
    async prepare({ inbox }) {
      return { id: await enqueueOne(inbox), run: (peer) => claimUpTo(peer, 1, 'worker-2') }
    },
    ends: ['pending'],
  },
  'claim of a hand-made file': {
    async prepare(t) {
      await t.drop('apollo', 'fix-login.md', '# By hand\n')
      t.clock.advance(5000)
      const [listed] = await listAll(t.inbox)
      return { id: listed?.id ?? '', run: (peer) => claimUpTo(peer, 1, 'worker-2') }
    },
    ends: ['pending'],
  },
  complete: {
    async prepare(t) {
      const { id, claim } = await held(t)
      return { id, run: (peer) => peer.complete(claim) }
    },
    ends: ['pending', 'done'],
  },
  fail: {
    async prepare(t) {
      const { id, claim } = await held(t)
      return { id, run: (peer) => peer.fail(claim, 'exit 1') }
    },
    ends: ['pending'],
  },
  'fail for good': {
    async prepare(t) {
      const { id, claim } = await held(t)
      return { id, run: (peer) => peer.fail(claim, 'exit 1', { fatal: true }) }
    },
    ends: ['pending', 'failed'],
  },
  release: {
    async prepare(t) {
      const { id, claim } = await held(t)
      await t.inbox.bind(claim, { issueNumber: '7' })
      return { id, run: (peer) => peer.release(claim, { retryAt: new Date(t.clock.now() + hour) }) }
    },
    ends: ['pending'],
  },
  bind: {
    async prepare(t) {
      const { id, claim } = await held(t)
      return { id, run: (peer) => peer.bind(claim, { issueNumber: '7' }) }
    },
    ends: ['pending'],
  },
  'cancel of a pending task': {
    async prepare({ inbox }) {
      const id = await enqueueOne(inbox)
      return { id, run: (peer) => peer.cancel(id) }
    },
    ends: ['pending', 'failed'],
  },
  'cancel of a held task': {
    async prepare(t) {
      const { id } = await held(t)
      return { id, run: (peer) => peer.cancel(id) }
    },
    ends: ['pending'],
  },
  requeue: {
    async prepare(t) {
      const { id, claim } = await held(t)
      await t.inbox.fail(claim, 'no', { fatal: true })
      return { id, run: (peer) => peer.requeue(id) }
    },
    ends: ['pending', 'failed'],
  },
  resume: {
    async prepare(t) {
      const { id, claim } = await held(t)
      await t.inbox.bind(claim, { issueNumber: '7' })
      t.kill('worker-1')
      return { id, run: (peer) => peer.resume({ worker: 'worker-2', leaseMs }) }
    },
    ends: ['pending'],
  },
  sweep: {
    async prepare(t) {
      const { id } = await held(t)
      return {
        id,
        async run(peer) {
          await peer.sweep()
          t.clock.advance(leaseMs + 1000)
          await peer.sweep()
        },
      }
    },
    ends: ['pending'],
  },
}

/** Nothing that a crash left stays for ever. */
const expectTidy = async (t: InboxOpening, inbox: InboxStore, at: string): Promise<void> => {
  await inbox.sweep()
  t.clock.advance(leftoverMs + 1000)
  await inbox.sweep()
  expect(await hiddenFiles(t), at).toEqual([])
}

const finishAll = async (inbox: InboxStore): Promise<string[]> => {
  const finished: string[] = []
  for (let claimed = await claimUpTo(inbox, 5, 'worker-9'); claimed.length > 0; )
    for (const { id, claim } of claimed.splice(0)) {
      expect(await inbox.bind(claim, { issueNumber: '7' })).toMatchObject({ status: 'bound' })
      expect(await inbox.complete(claim)).toEqual({ status: 'done' })
      finished.push(id)
    }
  return finished
}

/** What names are left is the question here; power cuts are another one. */
const withoutSyncs = (): void => {
  vi.restoreAllMocks()
  vi.spyOn(sys, 'fsync').mockResolvedValue()
}

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
