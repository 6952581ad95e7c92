import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Claim, InboxStore } from '@nexus/core'
import { expect, test } from 'vitest'
import { openBoss, queue } from './peers/boss.ts'
import { openGraphile } from './peers/graphile.ts'
import { idsOf } from './queue.ts'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'
import { startServer } from './server.ts'
import { openStores } from './stores.ts'

const perRound = 5_000
const dataOf = (n: number) => ({
  project: `project-${n % 20}`,
  markdown: `Task ${n}. ${'Words of a task. '.repeat(20)}`,
})

/** What each does best with on a machine of two processors; more made none of them faster. */
const tuned = {
  ours: { concurrency: 1000 },
  graphile: { concurrency: 24, connections: 16 },
  boss: { loops: 2, batch: 500 },
}

const handle = async (): Promise<void> => {}

/** As a host does: claims when half of its places are free, works on each by itself, and completes it. */
const drain = async (inbox: InboxStore, onDone: (id: string) => void): Promise<void> => {
  const { concurrency } = tuned.ours
  const busy = new Set<Promise<void>>()
  const work = async (claim: Claim): Promise<void> => {
    await handle()
    const { status } = await inbox.complete(claim)
    if (status !== 'done') throw new Error(status)
    onDone(claim.id)
  }
  for (;;) {
    const claimed = await inbox.claim({ worker: 'bench', limit: concurrency - busy.size, leaseMs: 60_000 })
    if (claimed.length === 0 && busy.size === 0) return
    for (const { claim } of claimed) {
      const working = work(claim).finally(() => busy.delete(working))
      busy.add(working)
    }
    while (busy.size > concurrency / 2) await Promise.race(busy)
    if (claimed.length === 0) await Promise.all(busy)
  }
}

const rateOf = async (work: () => Promise<void>): Promise<number> => {
  const begun = performance.now()
  await work()
  return (perRound * 1000) / (performance.now() - begun)
}

test('a full queue and a handler that does nothing', async () => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  await using server = await startServer()
  await using database = await server.database()
  await using second = await server.database()
  await using third = await server.database()
  await using stores = await openStores({
    NEXUS_STORAGE_BACKEND: 'postgres',
    NEXUS_DIR: root,
    NEXUS_STORAGE_DSN: database.dsn,
  })
  await using graphile = await openGraphile(second.dsn)
  await using peer = await openBoss(third.dsn)
  const { inbox } = stores
  const acknowledged = new Set<string>()
  let round = 0
  const rounds = await interleave({
    async ours() {
      round += 1
      await inbox.enqueue(Array.from({ length: perRound }, (_, n) => ({ ...dataOf(n), filename: `${round}-${n}.md` })))
      return rateOf(() => drain(inbox, (id) => acknowledged.add(id)))
    },
    async 'graphile-worker'() {
      await graphile.fill(perRound, dataOf)
      return rateOf(async () => {
        let left = perRound
        let isEmpty = (): void => {}
        const empty = new Promise<void>((resolve) => {
          isEmpty = resolve
        })
        const runner = await graphile.work(tuned.graphile, async () => {
          await handle()
          left -= 1
          if (left === 0) isEmpty()
        })
        await empty
        await runner.stop()
      })
    },
    async 'pg-boss'() {
      await peer.fill(perRound, dataOf)
      const { loops, batch } = tuned.boss
      const loop = async (): Promise<void> => {
        for (;;) {
          const jobs = await peer.boss.fetch(queue, { batchSize: batch, priority: false })
          if (jobs.length === 0) return
          await Promise.all(jobs.map(handle))
          await peer.boss.complete(
            queue,
            jobs.map(({ id }) => id),
          )
        }
      }
      return rateOf(async () => {
        await Promise.all(Array.from({ length: loops }, loop))
      })
    },
  })
  const all = (rounds.ours.length + 1) * perRound
  expect(acknowledged.size).toBe(all)
  expect(await idsOf(inbox, 'done')).toEqual(acknowledged)
  expect(await peer.count('completed')).toBe(all)
  expect(await graphile.left()).toBe(0)
  const row = 'drain a queue with a handler that does nothing'
  publish({
    row: `${row}, beside graphile-worker`,
    unit: '/s',
    rounds,
    against: 'graphile-worker',
    mark: { atLeast: 2 },
  })
  publish({ row: `${row}, beside pg-boss`, unit: '/s', rounds, against: 'pg-boss', mark: { atLeast: 2 } })
  await rm(root, { recursive: true })
})
