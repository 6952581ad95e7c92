import { once } from 'node:events'
import { join } from 'node:path'
import { createIds, isJsonObject, silentLogger, systemClock } from '@nexus/core'
import { openJournalFiles } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { journalState } from '@nexus/router'
import { startCluster } from '@nexus/testkit/postgres'
import { expect, test } from 'vitest'
import { until } from '../test/until.ts'
import { outages } from './outages.ts'
import { plantedHost } from './planted.ts'
import { report, verify } from './verify.ts'
import { createWorld, enqueuedTask, projects, type Routing, type World } from './world.ts'

const isLong = process.env['NEXUS_PROOF'] === 'long'
const tasks = 20
const patienceMs = 60_000
/** What a host may take to end while the database says nothing: calls on their way end first. */
const drainMs = 6_000

const routings = {
  'all on postgres': { NEXUS_STORAGE_BACKEND: 'postgres' },
  'host state and completions on postgres': {
    NEXUS_HOST_STATE_BACKEND: 'postgres',
    NEXUS_COMPLETION_BACKEND: 'postgres',
  },
} as const satisfies Record<string, Routing>
type RoutingName = keyof typeof routings
type Kind = keyof typeof outages

type Host = ReturnType<World['startHost']>

interface Line {
  level: number
  msg: string
}

const linesOf = ({ said }: Host): Line[] =>
  said
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)

const entered = 'A backend is down'
const left = 'A backend is in use again'
const countOf = (host: Host, message: string): number =>
  linesOf(host).filter(({ msg }) => msg.startsWith(message)).length

/** Every second task names its number; the others need one from the host state. */
const bringTasks = async (world: World, count: number): Promise<void> => {
  await using stores = await world.openStores()
  const numbers = Array.from({ length: count }, (_, n) => n)
  await stores.inbox.enqueue(
    numbers.map((n) => {
      const task = enqueuedTask(n, projects[n % projects.length] ?? projects[0])
      return n % 2 === 0 ? task : { ...task, markdown: `**Issue:** ${1000 + n}\n\n${task.markdown}` }
    }),
  )
}

const stepsEnded = async (world: World): Promise<number> =>
  (await world.notes()).filter(({ word }) => word === 'END').length

const untilSteps = (world: World, count: number): Promise<boolean> =>
  until(`${count} steps`, async () => (await stepsEnded(world)) >= count, patienceMs)

const context = {
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown' as const,
}

/** What an outage left behind, apart from the tasks. */
const leftovers = async ({ root, database }: World) => {
  const journal = await journalState(await openJournalFiles({ root: join(root, '.nexus'), ...context }))
  await using postgres = await openPgBackend({ dsn: database.dsn, ...context })
  const conflicts = await postgres.operations?.conflicts()
  const launched = (await postgres.hostState.load('launched_agents'))?.value ?? {}
  const tracked = (await postgres.hostState.load('tracked_issues'))?.value ?? {}
  return {
    unapplied: journal?.operations ?? 0,
    conflicts: conflicts?.items.length,
    launched: Object.keys(launched),
    tracked: Object.values(tracked).map((issue) => (isJsonObject(issue) ? issue['status'] : issue)),
  }
}

/** A host program, and how often it must have said that the database went away and came back. */
interface Witness {
  host: Host
  entered: number
  left: number
}

/** One after the other, host programs on one world, each watched for what it says. */
const createCast = (world: World) => {
  const cast: Witness[] = []
  const present = (): Witness => {
    const witness = cast.at(-1)
    if (!witness) throw new Error('no host was started')
    return witness
  }
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const { host } = present()
    const exit = once(host, 'exit')
    host.kill(signal)
    return (await exit)[0] as number | null
  }
  return {
    start: () => void cast.push({ host: world.startHost(), entered: 0, left: 0 }),
    end,
    async entersOutage(): Promise<void> {
      const witness = present()
      witness.entered += 1
      await until('the line on entering', () => countOf(witness.host, entered) === witness.entered, patienceMs)
    },
    async leavesOutage(): Promise<number> {
      const witness = present()
      const start = performance.now()
      witness.left += 1
      await until('the line on leaving', () => countOf(witness.host, left) === witness.left, patienceMs)
      return Math.round(performance.now() - start)
    },
    /** Each process told of what it saw in one line on each side, and of nothing else that was wrong. */
    expectLines(): void {
      for (const { host, ...times } of cast) {
        const said = { entered: countOf(host, entered), left: countOf(host, left) }
        expect(said, host.said.join('')).toEqual(times)
        const wrong = linesOf(host).filter(({ level, msg }) => level >= 40 && !msg.startsWith(entered))
        // The server of this proof has no power cut to survive, and its users are told so.
        expect(wrong.filter(({ msg }) => !msg.startsWith('PostgreSQL may lose'))).toEqual([])
      }
    },
    said: (): string => cast.map(({ host }) => host.said.join('')).join('--- the next host\n'),
  }
}

const untilDone = async (world: World, count: number): Promise<void> => {
  await using stores = await world.openStores()
  const isDone = async (): Promise<boolean> => {
    const { pending, processing, done } = await stores.inbox.counts()
    return pending + processing === 0 && done === count
  }
  await until(`${count} tasks`, isDone, patienceMs)
}

interface Play {
  routing: RoutingName
  kinds: readonly Kind[]
  /** Ends the host during the first outage; another one goes on. */
  endsHost?: 'SIGKILL' | 'SIGTERM'
  /** The database is away when the host starts. */
  startsWithout?: boolean
  count?: number
  program?: string
}

/** The database goes away and comes back while the host is at work; then everything must be as if it never had. */
const play = async (given: Play): Promise<Record<string, number>> => {
  const { routing, kinds, endsHost, startsWithout = false, count = tasks, program } = given
  await using cluster = await startCluster()
  await using world = await createWorld(routings[routing], { server: cluster.dsn, ...(program && { program }) })
  await bringTasks(world, count)
  const cast = createCast(world)
  const goesOn = routing !== 'all on postgres'
  const each = Math.floor((count * 3) / (kinds.length + 1))
  const backs: number[] = []
  let meanwhile = 0
  if (!startsWithout) cast.start()
  try {
    for (const [index, kind] of kinds.entries()) {
      const isFirst = index === 0
      if (!(isFirst && startsWithout)) await untilSteps(world, each * (index + 1) - 6)
      await outages[kind].begin(cluster)
      try {
        if (isFirst && startsWithout) cast.start()
        await cast.entersOutage()
        const before = await stepsEnded(world)
        // With no database from the start, all that carry a number go to the end of their chains.
        const more = startsWithout ? Math.floor(count / 2) * 3 : 3
        if (goesOn && isFirst) await untilSteps(world, before + more)
        if (isFirst && endsHost) {
          const start = performance.now()
          expect(await cast.end(endsHost)).toBe(endsHost === 'SIGKILL' ? null : 0)
          expect(performance.now() - start).toBeLessThan(drainMs)
          cast.start()
          await cast.entersOutage()
        }
        meanwhile += (await stepsEnded(world)) - before
      } finally {
        await outages[kind].end(cluster)
      }
      backs.push(await cast.leavesOutage())
    }
    await untilDone(world, count)
    expect(await cast.end('SIGTERM')).toBe(0)
    const figures = await verify(world, count)
    const { unapplied, conflicts, launched, tracked } = await leftovers(world)
    expect({ unapplied, conflicts, launched }).toEqual({ unapplied: 0, conflicts: 0, launched: [] })
    expect(tracked).toEqual(Array(count).fill('completed'))
    cast.expectLines()
    return { ...figures, meanwhile, unapplied, conflicts: conflicts ?? -1, 'back after ms': Math.max(...backs) }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${cast.said()}`, { cause: error })
  }
}

const allKinds = Object.keys(outages) as Kind[]

/** Short: each kind of outage, each routing, a host that is killed and one that starts without a database. */
const plays: readonly Play[] = [
  { routing: 'all on postgres', kinds: ['frozen', 'stopped'], endsHost: 'SIGTERM' },
  { routing: 'host state and completions on postgres', kinds: ['killed'], endsHost: 'SIGKILL' },
  { routing: 'host state and completions on postgres', kinds: ['stopped'], startsWithout: true },
]

const longPlays = (Object.keys(routings) as RoutingName[]).flatMap((routing): Play[] => [
  { routing, kinds: [...allKinds, ...allKinds] },
  ...allKinds.map((kind): Play => ({ routing, kinds: [kind, ...allKinds], endsHost: 'SIGKILL' })),
  ...allKinds.map((kind): Play => ({ routing, kinds: [kind, ...allKinds], endsHost: 'SIGTERM' })),
  { routing, kinds: allKinds.toReversed(), startsWithout: true },
])

test('outage: [C-ROUTE-9, C-ROUTE-12, C-ROUTE-15] twenty tasks while the database goes away and comes back lose nothing', async () => {
  for (const one of isLong ? longPlays : plays) {
    const host = one.startsWithout ? ', host started without it' : one.endsHost ? `, host ended by ${one.endsHost}` : ''
    report(`outage, ${one.routing}: ${one.kinds.join(', ')}${host}`, await play(one))
  }
})

test('outage: a host that ends an outage without applying its journal is caught', async () => {
  await using host = await plantedHost('no-replay', /\/router\/src\/replay\.ts$/)
  const routing = 'host state and completions on postgres'
  const planted = play({ routing, kinds: ['killed'], count: 6, program: host.main })
  // What the agents reported while the database was away is in no history, or their steps ran twice.
  await expect(planted).rejects.toThrow(/attempts of|to deeply equal \[ 'developer'/)
  report('outage, planted', { caught: 1 })
})
