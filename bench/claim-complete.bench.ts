import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBoss, queue } from './peers/boss.ts'
import { idsOf } from './queue.ts'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'
import { startServer } from './server.ts'
import { openStores } from './stores.ts'

const perRound = 5_000
const batch = 100
const dataOf = (n: number) => ({
  project: `project-${n % 20}`,
  markdown: `Task ${n}. ${'Words of a task. '.repeat(20)}`,
})

/** Takes batch after batch until there is none, with so many loops side by side; gives tasks per second. */
const rateOf = async (loops: number, takeOne: () => Promise<number>): Promise<number> => {
  const begun = performance.now()
  const taken = await Promise.all(
    Array.from({ length: loops }, async () => {
      let count = 0
      for (let n = await takeOne(); n > 0; n = await takeOne()) count += n
      return count
    }),
  )
  const seconds = (performance.now() - begun) / 1000
  expect(taken.reduce((sum, count) => sum + count, 0)).toBe(perRound)
  return perRound / seconds
}

for (const loops of [1, 4])
  test(`claim and complete in batches of a hundred, ${loops} at a time`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
    await using server = await startServer()
    await using database = await server.database()
    await using other = await server.database()
    const variables = { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_DIR: root, NEXUS_STORAGE_DSN: database.dsn }
    await using stores = await openStores(variables)
    await using peer = await openBoss(other.dsn)
    const { inbox } = stores
    const acknowledged = new Set<string>()
    let round = 0
    const rounds = await interleave({
      async ours() {
        round += 1
        await inbox.enqueue(
          Array.from({ length: perRound }, (_, n) => ({ ...dataOf(n), filename: `${round}-${n}.md` })),
        )
        return rateOf(loops, async () => {
          const claimed = await inbox.claim({ worker: 'bench', limit: batch, leaseMs: 60_000 })
          for (const { status } of await Promise.all(claimed.map(({ claim }) => inbox.complete(claim))))
            if (status !== 'done') throw new Error(status)
          for (const { id } of claimed) acknowledged.add(id)
          return claimed.length
        })
      },
      async 'pg-boss'() {
        await peer.fill(perRound, dataOf)
        return rateOf(loops, async () => {
          const jobs = await peer.boss.fetch(queue, { batchSize: batch })
          if (jobs.length > 0)
            await peer.boss.complete(
              queue,
              jobs.map(({ id }) => id),
            )
          return jobs.length
        })
      },
    })
    const all = (rounds.ours.length + 1) * perRound
    expect(acknowledged.size).toBe(all)
    expect(await idsOf(inbox, 'done')).toEqual(acknowledged)
    expect(await peer.count('completed')).toBe(all)
    publish({
      row: `claim and complete a hundred, ${loops === 1 ? 'one after the other' : `${loops} at a time`}`,
      unit: '/s',
      rounds,
      against: 'pg-boss',
      mark: { atLeast: 2.5 },
    })
    await rm(root, { recursive: true })
  })
