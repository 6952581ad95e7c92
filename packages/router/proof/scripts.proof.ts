import { setTimeout as delay } from 'node:timers/promises'
import { startTcpProxy, type TcpProxy } from '@nexus/testkit/postgres/proxy'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { beforeAll, expect, test } from 'vitest'
import { createDice, type Dice } from '../../fs-backend/proof/programs/dice.ts'
import { type Audited, auditedDatabase, freshRoot, isLong, judge, longest, report, seed } from './world.ts'
import { buildWriter, startWriter, type Writer } from './writers.ts'

const scripts = isLong ? 200 : 20

let program = ''
beforeAll(async () => {
  program = await buildWriter()
})

/** A root of the disk with the processes that work on it, and their way to the database. */
interface Host {
  name: string
  root: string
  proxy: TcpProxy
  alive: Writer[]
  all: Writer[]
}

interface World {
  hosts: readonly Host[]
  database: Audited
  dice: Dice
  bug: string
}

const start = ({ bug }: World, host: Host): Writer => {
  const name = `${host.name}${host.all.length}`
  const writer = startWriter({ program, dsn: host.proxy.dsn, root: host.root, name, bug })
  host.alive.push(writer)
  host.all.push(writer)
  return writer
}

const killOne = async ({ dice }: World, host: Host): Promise<void> => {
  const [writer] = host.alive.splice(dice.below(host.alive.length), 1)
  await writer?.kill()
}

/** What can happen; the weights are how often each is named. */
const steps: readonly ((world: World, host: Host) => Promise<unknown>)[] = [
  async (_, { proxy }) => proxy.drop(),
  (_, { proxy }) => proxy.refuse(),
  (_, { proxy }) => proxy.pass(),
  (_, { proxy }) => proxy.pass(),
  async ({ dice }, { proxy }) =>
    proxy.cutAt({
      side: dice.pick(['request', 'answer']),
      bytes: dice.below(3000),
      how: dice.pick(['silent', 'reset']),
    }),
  killOne,
  killOne,
  async (world, host) => {
    // In the middle of what it replays, if it has something to replay.
    await host.proxy.pass()
    await delay(world.dice.below(1500))
    await killOne(world, host)
  },
  ({ database }) =>
    database.sql.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    ),
]

const workOn = async (world: World, host: Host): Promise<void> => {
  while (host.alive.length < 2) await start(world, host).ready
  const enough = new AbortController()
  const late = delay(1500, undefined, { signal: enough.signal }).catch(() => undefined)
  await Promise.race([host.alive[0]?.more(world.dice.below(30)), late])
  enough.abort()
}

const act = async (world: World, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) {
    const host = world.dice.pick(world.hosts)
    await workOn(world, host)
    await world.dice.pick(steps)(world, host)
  }
}

/** Everything is well again, and the last writer of each root stays until nothing of an outage is left. */
const settle = async (world: World): Promise<void> => {
  for (const host of world.hosts) {
    await host.proxy.pass()
    while (host.alive.length < 1) await start(world, host).ready
  }
  for (const { alive } of world.hosts) for (const writer of alive) await writer.end()
}

const runScript = async (number: number, bug = '') => {
  await using database = await auditedDatabase(await testDsn())
  await using rootA = await freshRoot()
  await using rootB = await freshRoot()
  await using proxyA = await startTcpProxy(database.dsn)
  await using proxyB = await startTcpProxy(database.dsn)
  const hosts = [
    { name: 'a', root: rootA.path, proxy: proxyA, alive: [], all: [] },
    { name: 'b', root: rootB.path, proxy: proxyB, alive: [], all: [] },
  ]
  const world = { hosts, database, dice: createDice(seed * 1000 + number), bug }
  await act(world, 8)
  await settle(world)
  const writers = hosts.flatMap(({ all }): Writer[] => all)
  const acknowledged = writers.flatMap((writer) => writer.acknowledged)
  return {
    processes: writers.length,
    acked: acknowledged.length,
    refused: writers.reduce((sum, { refused }) => sum + refused, 0),
    conflicts: (await database.conflicts()).length,
    ...(await judge(database, acknowledged)),
  }
}

type Figures = Awaited<ReturnType<typeof runScript>>

const sumOf = (all: readonly Figures[]): Figures =>
  all.reduce((sum, one) => ({
    processes: sum.processes + one.processes,
    acked: sum.acked + one.acked,
    refused: sum.refused + one.refused,
    conflicts: sum.conflicts + one.conflicts,
    lost: sum.lost + one.lost,
    dup: sum.dup + one.dup,
    order: sum.order + one.order,
  }))

/** Two at a time: their processes mostly wait. */
const runScripts = async (count: number, bug?: string): Promise<Figures> => {
  const all: Figures[] = []
  let next = 0
  const runner = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) {
      const figures = await runScript(number, bug)
      all.push(figures)
      const { lost, dup, order } = figures
      if (bug === undefined && lost + dup + order > 0) report(`outage scripts, seed ${seed} script ${number}`, figures)
    }
  }
  await Promise.all([runner(), runner()])
  return sumOf(all)
}

test('outage scripts: [C-ROUTE-9, C-ROUTE-11, C-ROUTE-12, C-ROUTE-13] random outages of two hosts, writers and replayers killed: nothing acknowledged is lost, doubled or reordered', {
  timeout: longest,
}, async () => {
  const figures = await runScripts(scripts)
  report('outage scripts', { scripts, ...figures, seed })
  expect(figures).toMatchObject({ lost: 0, dup: 0, order: 0 })
  expect(figures.conflicts).toBeGreaterThan(0)
})

test.each([
  ['a replay that gives each operation a new id', 'forgetful', 'dup'],
  ['a replay that passes over an operation', 'lossy', 'lost'],
] as const)('outage scripts: %s is caught', { timeout: longest }, async (_, bug, fault) => {
  const figures = await runScripts(isLong ? 20 : 3, bug)
  report('outage scripts, planted', { bug, [fault]: figures[fault] })
  expect(figures[fault]).toBeGreaterThan(0)
})
