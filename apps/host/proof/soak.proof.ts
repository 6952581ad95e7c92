import { type Cluster, freshDatabase, startCluster } from '@nexus/testkit/postgres'
import { expect, test } from 'vitest'
import { until } from '../test/until.ts'
import { createFleet, type Fleet, type FleetPlan } from './fleet.ts'
import { judge, type Verdict } from './judge.ts'
import { buildHost } from './planted.ts'
import { type StormLog, type StormPlan, storm } from './storm.ts'
import { report } from './verify.ts'

const isLong = process.env['NEXUS_PROOF'] === 'long'
const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? Math.trunc(Math.random() * 1e9))
const longest = 3_600_000
/** The last of them a machine of its own, the others on this one. */
const hosts = isLong ? 3 : 2
const program = 'programs/hasty-host.ts'

const bringTasks = async (fleet: Fleet, count: number): Promise<void> => {
  await using stores = await fleet.openStores()
  const numbers = Array.from({ length: count }, (_, n) => n)
  await stores.inbox.enqueue(
    numbers.map((n) => ({
      project: fleet.projects[n % fleet.projects.length] ?? '',
      filename: `task-${n}.md`,
      markdown: `**Issue:** ${1000 + n}\n\nThe cart forgets ${n}.\n`,
    })),
  )
}

const untilOver = async (fleet: Fleet, tasks: number): Promise<void> => {
  await using stores = await fleet.openStores()
  const isOver = async (): Promise<boolean> => {
    const { pending, processing } = await stores.inbox.counts()
    return pending + processing === 0
  }
  await until(`the end of ${tasks} tasks`, isOver, 60_000 + tasks * 2_000)
}

const saidBy = (fleet: Fleet): string =>
  fleet.members.map(({ root, said }) => `--- ${root}\n${said.join('').slice(-20_000)}`).join('\n')

interface Play {
  plan: Omit<FleetPlan, 'dsn' | 'seed' | 'program'>
  weather: Omit<StormPlan, 'cluster' | 'seed'>
  cluster: Cluster | null
  main: string
  /** Draws what falls, and when. */
  drawn?: number
}

/** Hosts, agents and a database on which everything falls that can, until all tasks are over. */
const play = async ({ plan, weather, cluster, main, drawn = seed }: Play): Promise<Verdict & { log: StormLog }> => {
  await using database = cluster && (await freshDatabase(cluster.dsn))
  await using fleet = await createFleet({ ...plan, dsn: database?.dsn ?? null, seed: drawn, program: main })
  try {
    await bringTasks(fleet, weather.tasks)
    for (const member of fleet.members) await member.start()
    const log = await storm(fleet, { ...weather, cluster, seed: drawn })
    await untilOver(fleet, weather.tasks)
    for (const member of fleet.members) expect(await member.end()).toBe(0)
    await using stores = await fleet.openStores()
    return { ...(await judge(fleet, stores, log.still)), log }
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}\n${saidBy(fleet)}`, {
      cause: error,
    })
  }
}

const figuresOf = ({ figures, log }: Verdict & { log: StormLog }) => {
  const { tasks, done, failed, attempts, steps, late, ...wrong } = figures
  const { kills, absences, crashes, freezes, restarts } = log
  return { tasks, done, failed, attempts, steps, late, kills, absences, crashes, freezes, restarts, ...wrong, seed }
}

const clean = { doubled: 0, overlapping: 0, left: 0 }

test('soak: agents that do what agents do, hosts killed and frozen, the database restarted: every task ends, no step advances twice', {
  timeout: longest,
}, async () => {
  await using cluster = await startCluster()
  await using host = await buildHost({ main: program })
  const verdict = await play({
    plan: { hosts, projects: 10, slowPercent: 10 },
    weather: { tasks: isLong ? 500 : 40, kills: isLong ? 100 : 20, awayEvery: 7, freezes: isLong ? 8 : 1, restarts: 2 },
    cluster,
    main: host.main,
  })
  report('soak, postgres', { hosts, ...figuresOf(verdict) })
  expect(verdict.faults, `seed ${seed}`).toEqual([])
  expect(verdict.figures).toMatchObject(clean)
})

test('soak: the same with one host on files', { timeout: longest }, async () => {
  await using host = await buildHost({ main: program })
  const verdict = await play({
    plan: { hosts: 1, projects: 10, slowPercent: 10 },
    weather: { tasks: isLong ? 500 : 40, kills: isLong ? 100 : 20, awayEvery: 7, freezes: isLong ? 8 : 1, restarts: 0 },
    cluster: null,
    main: host.main,
  })
  report('soak, files', { hosts: 1, ...figuresOf(verdict) })
  expect(verdict.faults, `seed ${seed}`).toEqual([])
  expect(verdict.figures).toMatchObject(clean)
})

test('soak: a supervisor that lets an agent go on whose lease nobody renews is caught', async () => {
  await using cluster = await startCluster()
  await using host = await buildHost({
    main: program,
    planted: { bug: 'endless-lease', replaces: /\/runner\/run-watch\.ts$/ },
  })
  // Not every draw leaves an agent alone while another host takes its task.
  let overlapping = 0
  for (let n = 0; n < 8 && overlapping === 0; n += 1) {
    const verdict = await play({
      plan: { hosts: 2, projects: 2, slowPercent: 100 },
      weather: { tasks: 8, kills: 6, awayEvery: 2, freezes: 0, restarts: 0 },
      cluster,
      main: host.main,
      drawn: seed + n,
    })
    report('soak, planted', { ...figuresOf(verdict), draw: n + 1 })
    overlapping = verdict.figures['overlapping'] ?? 0
  }
  expect(overlapping).toBeGreaterThan(0)
})
