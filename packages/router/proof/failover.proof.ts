import type { Backend } from '@nexus/core'
import { openPgBackend } from '@nexus/pg-backend'
import { until } from '@nexus/testkit/postgres/pair'
import { expect, test } from 'vitest'
import { openScene, type Scene } from './failing-over.ts'
import { context, openHost } from './host.ts'
import { startWorkload, type Workload } from './workload.ts'
import { freshRoot, isLong, longest, report } from './world.ts'

const enough = isLong ? 10_000 : 300

/** Ends the writers whatever comes, so that a failure does not leave them running. */
const during = async (backend: Backend, work: (workload: Workload) => Promise<void>): Promise<Workload> => {
  const workload = startWorkload(backend)
  try {
    await work(workload)
  } finally {
    await workload.stop()
  }
  return workload
}

/** Kills the primary in the middle of the work and has the standby take its place. Gives the moment. */
const failOver = async ({ pair, promote }: Scene, amid: () => Promise<void>): Promise<number> => {
  const killed = performance.now()
  await pair.primary.kill()
  await amid()
  await promote()
  return killed
}

test('failover: [C-ALL-1] what a synchronous pair acknowledged is on the new primary, and it is written again within two seconds', {
  timeout: longest,
}, async () => {
  await using scene = await openScene()
  await using backend = await openPgBackend({ ...context, dsn: scene.dsn.pooled })
  let killed = 0
  const { acknowledged, refused, longestGap } = await during(backend, async ({ more }) => {
    await more(enough)
    killed = await failOver(scene, async () => {})
    await more(enough)
  })
  const found = await scene.found(acknowledged)
  const gap = longestGap(killed)
  report('failover', { acked: acknowledged.length, ...found, refused: refused(), gap_ms: gap })
  expect(found).toEqual({ lost: 0, dup: 0, order: 0 })
  expect(gap).toBeLessThanOrEqual(2000)
})

test('failover: [C-ROUTE-9, C-ROUTE-12] with the fallback none is refused, and what it kept back is on the new primary', {
  timeout: longest,
}, async () => {
  await using scene = await openScene()
  await using root = await freshRoot()
  await using router = await openHost({ dsn: scene.dsn.pooled, root: root.path })
  let killed = 0
  let journaled = 0
  const { acknowledged, refused, longestGap } = await during(router, async ({ more, acknowledged: acked }) => {
    await more(enough)
    const before = acked.length
    // Only the journal can take these.
    killed = await failOver(scene, () => more(100))
    await until(async () => (await router.health('hostState')).status === 'ok')
    journaled = acked.length - before
    await more(enough)
  })
  const found = await scene.found(acknowledged)
  const figures = { acked: acknowledged.length, ...found, journaled, refused: refused() }
  report('failover with fallback', { ...figures, gap_ms: longestGap(killed) })
  expect(found).toEqual({ lost: 0, dup: 0, order: 0 })
  expect(refused()).toBe(0)
})

/** A commit waits for its standby, which is away, until somebody loses patience. Gives what was answered. */
const commitWithoutStandby = async ({ pair }: Scene, backend: Backend): Promise<unknown> => {
  const answer = backend.hostState.save('not-replicated', 1).then(
    () => 'acknowledged',
    (error: unknown) => error,
  )
  const waits = `FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
  await until(async () => (await pair.ask(pair.primary, `SELECT ${waits}`)).length > 0)
  await pair.ask(pair.primary, `SELECT pg_cancel_backend(pid) ${waits}`)
  return answer
}

test('failover: [C-ALL-1] a commit that was not replicated is not acknowledged; asynchronous replication is caught', {
  timeout: longest,
}, async () => {
  await using scene = await openScene()
  const { pair, dsn } = scene
  await using backend = await openPgBackend({ ...context, dsn: dsn.pooled, timeoutMs: 20_000 })
  await pair.standby.kill()
  const answer = await commitWithoutStandby(scene, backend)
  const there = (await backend.hostState.load('not-replicated'))?.value
  // The planted bug: nobody waits for the standby any more.
  await pair.ask(pair.primary, `ALTER SYSTEM SET synchronous_standby_names = ''`)
  await pair.ask(pair.primary, 'SELECT pg_reload_conf()')
  const { acknowledged } = await during(backend, ({ more }) => more(enough))
  await failOver(scene, () => pair.standby.start())
  const found = await scene.found(acknowledged)
  const after = await scene.ask(`SELECT FROM nexus_host_state WHERE key = 'not-replicated'`)
  report('failover, not replicated', { answer: String(answer), before: there === 1 ? 1 : 0, after: after.length })
  report('failover, planted', { acked: acknowledged.length, ...found })
  expect(found.lost).toBeGreaterThan(0)
  expect(after).toEqual([])
  expect(answer).toMatchObject({ code: 'unavailable', outcome: 'unknown' })
})
