import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { InboxStore } from '@nexus/core'
import { expect, test } from 'vitest'
import { median, quantile } from './figures.ts'
import { openGraphile, task } from './peers/graphile.ts'
import { idsOf } from './queue.ts'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'
import { startServer } from './server.ts'
import { openStores } from './stores.ts'

const samples = 300
const rounds = 7
/** Between two tasks, so that each finds the worker idle. */
const gapMs = 3

/** Hears of a task that is in somebody's hands. */
const createArrivals = () => {
  const waiting = new Map<string, (at: number) => void>()
  return {
    arrived(name: string): void {
      waiting.get(name)?.(performance.now())
      waiting.delete(name)
    },
    /** Milliseconds from before the call that sends it. */
    async timed(name: string, send: () => Promise<unknown>): Promise<number> {
      const arrival = new Promise<number>((resolve) => waiting.set(name, resolve))
      const begun = performance.now()
      await send()
      return (await arrival) - begun
    },
  }
}

const latencies = async (one: (n: number) => Promise<number>): Promise<number[]> => {
  const found: number[] = []
  for (let n = 0; n < samples; n += 1) {
    found.push(await one(n))
    await delay(gapMs)
  }
  return found
}

/** Claims at each hint, as a host does, and completes. */
const work = async (inbox: InboxStore, signal: AbortSignal, arrived: (name: string) => void): Promise<void> => {
  for await (const _ of inbox.watch(signal))
    for (const { claim, filename } of await inbox.claim({ worker: 'bench', limit: 10, leaseMs: 60_000 })) {
      arrived(filename)
      await inbox.complete(claim)
    }
}

test('from an enqueue of one opening to a claim of another that is idle', async () => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  await using server = await startServer()
  await using database = await server.database()
  await using other = await server.database()
  const variables = { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_DIR: root, NEXUS_STORAGE_DSN: database.dsn }
  await using sender = await openStores(variables)
  await using receiver = await openStores(variables)
  await using graphile = await openGraphile(other.dsn)
  const [ours, theirs] = [createArrivals(), createArrivals()]
  const ended = new AbortController()
  const working = work(receiver.inbox, ended.signal, ours.arrived)
  const runner = await graphile.work({ concurrency: 4, connections: 6 }, (payload) => {
    theirs.arrived(String(Object(payload).name))
  })
  const sent = new Set<string>()
  let round = 0
  /** Beside the middle that `interleave` gathers. */
  const tails: Record<'ours' | 'graphile-worker', number[]> = { ours: [], 'graphile-worker': [] }
  const note = (who: keyof typeof tails, found: readonly number[]): number => {
    tails[who].push(quantile(found, 0.99))
    return median(found)
  }
  const middles = await interleave(
    {
      async ours() {
        round += 1
        const first = round * samples
        return note(
          'ours',
          await latencies((n) =>
            ours.timed(`${first + n}.md`, async () => {
              const [answer] = await sender.inbox.enqueue([
                { project: 'shop', filename: `${first + n}.md`, markdown: 'Text.' },
              ])
              if (answer) sent.add(answer.id)
            }),
          ),
        )
      },
      async 'graphile-worker'() {
        round += 1
        const first = round * samples
        return note(
          'graphile-worker',
          await latencies((n) =>
            theirs.timed(`${first + n}`, () => graphile.utils.addJob(task, { name: `${first + n}` })),
          ),
        )
      },
    },
    rounds,
  )
  ended.abort()
  await working
  await runner.stop()
  expect(sent.size).toBe((rounds + 1) * samples)
  expect(await idsOf(receiver.inbox, 'done')).toEqual(sent)
  expect(await graphile.left()).toBe(0)
  const [unit, against, mark] = ['ms', 'graphile-worker', { atMost: 0.7 }] as const
  publish({ row: 'enqueue to claim, idle: p50', unit, rounds: middles, against, mark })
  // The first round warmed up.
  const p99 = { ours: tails.ours.slice(1), 'graphile-worker': tails['graphile-worker'].slice(1) }
  publish({ row: 'enqueue to claim, idle: p99', unit, rounds: p99, against, mark })
  await rm(root, { recursive: true })
})
