import type { ClaimedTask, EnqueueResult, InboxStore } from '@nexus/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { leftoverMs } from '../src/inbox/clean-up.ts'
import { claimUpTo, type InboxOpening, listAll, openInbox, recover, task } from '../test/inbox-opening.ts'
import { expectTidy, finishAll, scenarios, sleepAfter, withoutSyncs } from './inbox-faults.ts'

beforeEach(withoutSyncs)
afterEach(() => void vi.restoreAllMocks())

/** What the others did with the queue while one slept. */
interface Night {
  inbox: InboxStore
  finished: string[]
  /** A newer or requeued task of the same name that is being worked on when the sleeper wakes. */
  newer: ClaimedTask | undefined
}

/** Takes everything from the sleeper, works it off, and lets every leftover grow old. */
const spendNight = async (t: InboxOpening): Promise<Night> => {
  const inbox = await recover(t)
  const finished = await finishAll(inbox)
  t.clock.advance(leftoverMs + 1000)
  await inbox.sweep()
  finished.push(...(await finishAll(inbox)))
  for (const { id } of (await inbox.list({ status: 'failed' })).items) await inbox.requeue(id)
  await inbox.enqueue([task()])
  const [newer] = await claimUpTo(inbox, 1, 'worker-8')
  return { inbox, finished, newer }
}

const isClaims = (answer: unknown): answer is ClaimedTask[] =>
  Array.isArray(answer) && answer.every((item) => 'claim' in item)

/** The tasks that the sleeper, awake again, could end. */
const endsOf = async (inbox: InboxStore, id: string, answer: unknown): Promise<string[]> => {
  if (isClaims(answer)) {
    const answers = await Promise.all(answer.map(({ claim }) => inbox.complete(claim)))
    return answer.filter((_, n) => answers[n]?.status === 'done').map((claimed) => claimed.id)
  }
  const isDone = typeof answer === 'object' && answer !== null && 'status' in answer && answer.status === 'done'
  return isDone ? [id] : []
}

/** Once more with the sleep one call later, until the call gets through without one. */
const sleepEverywhere = async (run: (t: InboxOpening, count: number) => Promise<boolean>): Promise<void> => {
  for (let count = 0; count < 500; count += 1) {
    await using t = await openInbox()
    if (!(await run(t, count))) return
  }
  throw new Error('Expected the call to get through at last.')
}

/** Null where the call got through before it fell asleep. */
const overnight = async (t: InboxOpening, count: number, call: () => Promise<unknown>) => {
  const sleeper = sleepAfter(count)
  const answer = call()
  const isAsleep = await Promise.race([sleeper.asleep.then(() => true), answer.then(() => false)])
  if (!isAsleep) return null
  const night = await spendNight(t)
  sleeper.wake()
  return { ...night, answer: await answer }
}

describe('a process that sleeps through everything at any system call', () => {
  for (const [name, { prepare }] of Object.entries(scenarios))
    test(`[C-INBOX-7] of ${name} ends nothing that others ended meanwhile`, async () => {
      await sleepEverywhere(async (t, count) => {
        const { id, run } = await prepare(t)
        const peer = await t.peer()
        const woken = await overnight(t, count, () => run(peer))
        if (!woken) return false

        const at = `${name}, asleep after ${count} calls`
        const { inbox, newer } = woken
        expect(await inbox.enqueue([task()]), at).toMatchObject([{ status: 'duplicate' }])
        // The hold ended in the night, whatever else the holder slept through.
        expect(woken.answer, at).not.toMatchObject({ status: 'bound' })
        const ended = [...woken.finished, ...(await endsOf(peer, id, woken.answer))]
        if (newer && (await inbox.complete(newer.claim)).status === 'done') ended.push(newer.id)
        ended.push(...(await finishAll(await recover(t))))
        expect(new Set(ended).size, at).toBe(ended.length)
        const listed = await listAll(inbox)
        expect(new Set(listed.map((item) => item.id)).size, at).toBe(listed.length)
        expect(
          listed
            .filter(({ status }) => status === 'done')
            .map((item) => item.id)
            .sort(),
          at,
        ).toEqual(ended.sort())
        expect(
          listed.filter(({ status }) => status === 'pending' || status === 'processing'),
          at,
        ).toEqual([])
        await expectTidy(t, inbox, at)
        return true
      })
    })

  for (const [identity, fields] of Object.entries({ name: {}, key: { idempotencyKey: 'key' } }))
    test(`[C-INBOX-2] of enqueue by ${identity} says of each task whether it is its own`, async () => {
      await sleepEverywhere(async (t, count) => {
        const peer = await t.peer()
        const woken = await overnight(t, count, () => peer.enqueue([task(fields)]))
        if (!woken) return false

        const at = `enqueue, asleep after ${count} calls`
        const [answer] = woken.answer as EnqueueResult[]
        const listed = await listAll(woken.inbox)
        expect(
          listed.map((item) => item.id),
          at,
        ).toContain(answer?.id)
        if (woken.newer) await woken.inbox.complete(woken.newer.claim)
        const ended = [...woken.finished, woken.newer?.id, ...(await finishAll(await recover(t)))]
        expect(new Set(ended).size, at).toBe(ended.length)
        expect(
          (await listAll(woken.inbox)).filter(({ status }) => status !== 'done'),
          at,
        ).toEqual([])
        return true
      })
    })
})
