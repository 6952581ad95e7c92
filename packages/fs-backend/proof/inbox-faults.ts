import type { InboxStore } from '@nexus/core'
import { expect, vi } from 'vitest'
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
} from '../test/inbox-opening.ts'

/** What names are left is the question here; power cuts are another one. */
export const withoutSyncs = (): void => {
  vi.restoreAllMocks()
  vi.spyOn(sys, 'fsync').mockResolvedValue()
}

class Crash extends Error {}

type Step = 'rename' | 'link' | 'unlink' | 'rmdir' | 'mkdir' | 'write' | 'fsync' | 'futimes' | 'open'
const steps: readonly Step[] = ['rename', 'link', 'unlink', 'rmdir', 'mkdir', 'write', 'fsync', 'futimes', 'open']

/** Has every system call that changes something ask first. */
const beforeEachChange = (ask: (step: Step) => Promise<void>): void => {
  withoutSyncs()
  for (const step of steps) {
    const real = sys[step] as (...args: unknown[]) => Promise<unknown>
    const changes = (args: unknown[]): boolean => step !== 'open' || (Number(args[1]) & flags.O_CREAT) !== 0
    vi.spyOn(sys, step).mockImplementation((async (...args: unknown[]) => {
      if (changes(args)) await ask(step)
      return step === 'fsync' ? undefined : real(...args)
    }) as never)
  }
}

/**
 * Lets the first `count` system calls that change something happen and none after: what a process leaves that is killed
 * there. Answers how many were wanted.
 */
export const crashAfter = (count: number): (() => number) => {
  let wanted = 0
  beforeEachChange(async (step) => {
    wanted += 1
    if (wanted > count) throw new Crash(step)
  })
  return () => wanted
}

/** A process that is stopped before a system call and goes on much later, as if nothing had happened. */
export interface Sleeper {
  asleep: Promise<void>
  wake(): void
}

/** Whoever makes the call after the first `count` that change something sleeps; others go on. */
export const sleepAfter = (count: number): Sleeper => {
  let wanted = 0
  let fallAsleep = (): void => {}
  let wake = (): void => {}
  const asleep = new Promise<void>((resolve) => {
    fallAsleep = resolve
  })
  const woken = new Promise<void>((resolve) => {
    wake = resolve
  })
  beforeEachChange(async () => {
    wanted += 1
    if (wanted !== count + 1) return
    fallAsleep()
    await woken
  })
  return { asleep, wake: () => wake() }
}

export interface Scenario {
  /** Tasks that must exist exactly once afterwards. */
  prepare(t: InboxOpening): Promise<{ id: string; run(inbox: InboxStore): Promise<unknown> }>
  /** What the task may have become, where the crash kept the answer from its caller. */
  ends: readonly string[]
}

const held = async (t: InboxOpening) => {
  await enqueueOne(t.inbox)
  return claimOne(t.inbox)
}

export const scenarios: Record<string, Scenario> = {
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
    // Its holder died as well: a request that was noted ends the task. [C-INBOX-15]
    ends: ['pending', 'failed'],
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

/** Works off what is due. Answers the ids. */
export const finishAll = async (inbox: InboxStore): Promise<string[]> => {
  const finished: string[] = []
  for (let claimed = await claimUpTo(inbox, 5, 'worker-9'); claimed.length > 0; )
    for (const { id, claim } of claimed.splice(0)) {
      expect(await inbox.bind(claim, { issueNumber: '7' })).toMatchObject({ status: 'bound' })
      expect(await inbox.complete(claim)).toEqual({ status: 'done' })
      finished.push(id)
    }
  return finished
}

/** Nothing that a crash or a sleep left stays for ever. */
export const expectTidy = async (t: InboxOpening, inbox: InboxStore, at: string): Promise<void> => {
  await inbox.sweep()
  t.clock.advance(leftoverMs + 1000)
  await inbox.sweep()
  expect(await hiddenFiles(t), at).toEqual([])
}
