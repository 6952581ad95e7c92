import { openPgBackend } from '@nexus/pg-backend'
import { createFakes } from '@nexus/testkit'
import { expect, test } from 'vitest'
import { openScene } from './failing-over.ts'
import { startWorkload, type Workload } from './workload.ts'

const longest = 120_000
const isLong = process.env['NEXUS_PROOF'] === 'long'
const before = isLong ? 5000 : 300

const report = (proof: string, figures: Record<string, number | string>): void => {
  const words = Object.entries(figures).map(([key, value]) => `${key}=${value}`)
  process.stdout.write(`${proof}: ${words.join(' ')}\n`)
}

/** Ends the writers whatever comes, so that a failure does not leave them running. */
const during = async (workload: Workload, work: () => Promise<void>): Promise<void> => {
  try {
    await work()
  } finally {
    await workload.stop()
  }
}

test('failover: [C-ALL-1] what a synchronous pair acknowledged is on the new primary, two seconds later', {
  timeout: longest,
}, async () => {
  await using scene = await openScene()
  await using backend = await openPgBackend({
    ...createFakes().context,
    dsn: scene.pooler.through(scene.database.dsn),
  })
  const workload = startWorkload(backend)
  let killed = 0
  await during(workload, async () => {
    await workload.more(before)
    killed = performance.now()
    await scene.pair.primary.kill()
    await scene.promote()
    await workload.more(before)
  })
  await using standby = await scene.openStandby()
  const found = await workload.verify(standby)
  const gap = workload.longestGap(killed)
  report('failover', { ...found, refused: workload.refused(), gap_ms: gap })
  expect(found).toMatchObject({ lost: 0, dup: 0 })
  expect(gap).toBeLessThanOrEqual(2000)
})

test('failover: asynchronous replication is caught', {
  timeout: longest,
}, async () => {
  await using scene = await openScene()
  const { pair, database } = scene
  await using backend = await openPgBackend({ ...createFakes().context, dsn: database.dsn, timeoutMs: 20_000 })
  await pair.standby.kill()
  // The planted bug: nobody waits for the standby, which is away.
  await pair.ask(pair.primary, `ALTER SYSTEM SET synchronous_standby_names = ''`)
  await pair.ask(pair.primary, 'SELECT pg_reload_conf()')
  const workload = startWorkload(backend)
  await during(workload, () => workload.more(before))
  await pair.primary.kill()
  await pair.standby.start()
  await scene.promote()
  await using standby = await scene.openStandby()
  const found = await workload.verify(standby)
  report('failover, planted', found)
  expect(found.lost).toBeGreaterThan(0)
})
