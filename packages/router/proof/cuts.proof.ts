import { type Backend, createIds, isStoreError, systemClock } from '@nexus/core'
import { type CutPoint, startTcpProxy, type TcpProxy } from '@nexus/testkit/postgres/proxy'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { expect, test } from 'vitest'
import { openHost } from './host.ts'
import { type Audited, auditedDatabase, effectsOf, freshRoot, isLong, longest, report } from './world.ts'

/** Cut points of each write and each way of cutting. */
const points = isLong ? 120 : 10

interface Write {
  name: string
  /** What makes the write possible. */
  before(host: Backend, marker: string): Promise<unknown>
  write(host: Backend, marker: string): Promise<unknown>
}

const writes: readonly Write[] = [
  {
    name: 'save',
    before: async () => undefined,
    write: ({ hostState }, marker) => hostState.save(`k${marker}`, { said: marker }),
  },
  {
    name: 'save over',
    before: ({ hostState }, marker) => hostState.save(`k${marker}`, { said: 'first' }),
    write: ({ hostState }, marker) => hostState.save(`k${marker}`, { said: marker }),
  },
  {
    name: 'patch',
    before: ({ hostState }, marker) => hostState.save(`k${marker}`, { other: 1 }),
    write: ({ hostState }, marker) => hostState.patch(`k${marker}`, { entries: { said: marker } }),
  },
  {
    name: 'completion',
    before: async () => undefined,
    write: ({ completions }, marker) =>
      completions.save({
        project: 'shop',
        issueNumber: marker,
        agentType: 'developer',
        status: 'complete',
        summary: 'done',
        payload: { said: marker },
        reportId: marker,
      }),
  },
]

interface Figures {
  points: number
  acked: number
  refused: number
  lost: number
  dup: number
  slowest: number
}

interface World {
  host: Backend
  proxy: TcpProxy
  database: Audited
}

let operations = 0

/** Bytes of one write, each way, on a connection that has its statements prepared. */
const measure = async ({ host, proxy }: World, { before, write }: Write): Promise<Record<CutPoint['side'], number>> => {
  for (const round of [1, 2]) {
    const marker = `op-x-${++operations}-`
    await before(host, marker)
    proxy.count()
    await write(host, marker)
    if (round === 2) break
  }
  return { ...proxy.passed }
}

const evenly = (sizes: Record<CutPoint['side'], number>, how: CutPoint['how'], count: number): CutPoint[] => {
  const total = sizes.request + sizes.answer
  return Array.from({ length: count }, (_, n) => {
    const at = Math.floor(((n + 0.5) * total) / count)
    return at < sizes.request ? { side: 'request', bytes: at, how } : { side: 'answer', bytes: at - sizes.request, how }
  })
}

const cutOne = async (world: World, { before, write }: Write, point: CutPoint) => {
  const marker = `op-x-${++operations}-`
  await before(world.host, marker)
  world.proxy.cutAt(point)
  const start = systemClock.monotonic()
  const acked = await write(world.host, marker).then(
    () => true,
    (error: unknown) => {
      if (isStoreError(error, 'unavailable')) return false
      throw error
    },
  )
  return { marker, acked, took: systemClock.monotonic() - start }
}

const backInUse = async ({ host }: World): Promise<void> => {
  while ((await host.health('hostState')).status !== 'ok') await new Promise((resolve) => setTimeout(resolve, 20))
}

/** How often each marker's effect happened. */
const countEffects = async (database: Audited): Promise<Map<string, number>> => {
  const counts = new Map<string, number>()
  for (const came of effectsOf(await database.written()).values())
    for (const marker of came) counts.set(marker, (counts.get(marker) ?? 0) + 1)
  return counts
}

/** Sessions whose program gave them up behind the cut: a server has room for so many. */
const endForgotten = async ({ sql }: Audited): Promise<void> => {
  await sql.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'nexus' AND state_change < now() - interval '10 s'`,
  )
}

const cutWrites = async (write: Write, around?: (backend: Backend) => Backend): Promise<Figures> => {
  await using database = await auditedDatabase(await testDsn())
  await using proxy = await startTcpProxy(database.dsn)
  await using root = await freshRoot()
  await using host = await openHost({ dsn: proxy.dsn, root: root.path, maxConnections: 1, ...(around && { around }) })
  const world = { host, proxy, database }
  const sizes = await measure(world, write)
  const done: Awaited<ReturnType<typeof cutOne>>[] = []
  for (const how of ['reset', 'silent'] as const)
    for (const point of evenly(sizes, how, points)) {
      done.push(await cutOne(world, write, point))
      await endForgotten(database)
    }
  await backInUse(world)
  const counts = await countEffects(database)
  return {
    points: done.length,
    acked: done.filter(({ acked }) => acked).length,
    refused: done.filter(({ acked }) => !acked).length,
    lost: done.filter(({ acked, marker }) => acked && !counts.has(marker)).length,
    dup: done.filter(({ marker }) => (counts.get(marker) ?? 0) > 1).length,
    slowest: Math.round(Math.max(...done.map(({ took }) => took))),
  }
}

test('cut calls: [C-ROUTE-10, C-ROUTE-14] cut at any byte, either way, each write settles in time and is applied once', {
  timeout: longest,
}, async () => {
  const all = await Promise.all(writes.map(async (write) => ({ name: write.name, ...(await cutWrites(write)) })))
  for (const { name, ...figures } of all) report(`cut calls, ${name}`, figures)
  for (const { lost, dup, slowest } of all)
    expect({ lost, dup, isInTime: slowest <= 3000 }).toEqual({ lost: 0, dup: 0, isInTime: true })
  // Cut off between the words that change a row and the word that ends them, a session keeps the row from the second try
  // as well: that write is refused as perhaps applied.
  for (const { refused, points } of all) expect(refused).toBeLessThanOrEqual(Math.ceil(points / 50))
})

/** Each try is another operation. */
const forgetful = (backend: Backend): Backend => {
  const ids = createIds(systemClock)
  const { operations: real } = backend
  if (!real) return backend
  return {
    ...backend,
    operations: {
      ...real,
      saveState: (_, ...rest) => real.saveState(ids.next(), ...rest),
      patchState: (_, ...rest) => real.patchState(ids.next(), ...rest),
      saveCompletion: (_, ...rest) => real.saveCompletion(ids.next(), ...rest),
    },
  }
}

test('cut calls: a router that sends the second try under another id is caught', { timeout: longest }, async () => {
  const [, over] = writes
  if (!over) throw new Error('no write to cut')
  const { dup } = await cutWrites(over, forgetful)
  report('cut calls, planted', { dup })
  expect(dup).toBeGreaterThan(0)
})

const timed = async (call: () => Promise<unknown>): Promise<number> => {
  const start = systemClock.monotonic()
  await call()
  return systemClock.monotonic() - start
}

test.each(['drop', 'refuse'] as const)(
  'dead network, %s: [C-ROUTE-14] the journal within 3 s, later calls within 50 ms, back within 5 s',
  {
    timeout: longest,
  },
  async (how) => {
    await using database = await auditedDatabase(await testDsn())
    await using proxy = await startTcpProxy(database.dsn)
    await using root = await freshRoot()
    await using host = await openHost({ dsn: proxy.dsn, root: root.path })
    const { hostState, inbox } = host
    await hostState.save('k', { n: 0 })
    await proxy[how]()
    const markers = Array.from({ length: 51 }, () => `op-x-${++operations}-`)
    const first = await timed(() => hostState.save('k', { said: markers[0] ?? '' }))
    const later: number[] = []
    for (const marker of markers.slice(1))
      later.push(await timed(() => hostState.patch('k', { entries: { said: marker } })))
    const refused = await timed(() => inbox.counts().catch(() => undefined))
    await proxy.pass()
    const back = await timed(() => backInUse({ host, proxy, database }))
    const counts = await countEffects(database)
    const figures = {
      first: Math.round(first),
      later: Math.round(Math.max(...later)),
      refused: Math.round(refused),
      back: Math.round(back),
      lost: markers.filter((marker) => !counts.has(marker)).length,
      dup: markers.filter((marker) => (counts.get(marker) ?? 0) > 1).length,
    }
    report(`dead network, ${how}`, figures)
    expect(figures).toMatchObject({ lost: 0, dup: 0 })
    expect(await hostState.load('k')).toMatchObject({ value: { said: markers.at(-1) } })
    expect([figures.first <= 3000, figures.later <= 50, figures.refused <= 50, figures.back <= 5000]).toEqual([
      true,
      true,
      true,
      true,
    ])
  },
)
