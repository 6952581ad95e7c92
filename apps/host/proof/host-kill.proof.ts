import { once } from 'node:events'
import { expect, test } from 'vitest'
import { until } from '../test/until.ts'
import { plantedHost } from './planted.ts'
import { type Point, pointsIn, traceThreads } from './thread-trace.ts'
import { report, verify } from './verify.ts'
import { createWorld, enqueuedTask, projects, routings, type World } from './world.ts'

const isLong = process.env['NEXUS_PROOF'] === 'long'
const longest = 3_600_000
const patienceMs = 60_000

/** One thread for all file work, so that a point's number means much the same in every run. */
const env = { UV_THREADPOOL_SIZE: '1' }

const bringTask = async (world: World): Promise<void> => {
  await using stores = await world.openStores()
  await stores.inbox.enqueue([enqueuedTask(1, projects[0])])
}

const isDone = async (world: World): Promise<boolean> => {
  const ended = (await world.notes()).some(({ word, step }) => word === 'END' && step === 'review')
  if (!ended) return false
  await using stores = await world.openStores()
  return (await stores.inbox.counts()).done === 1
}

/** A host that is ready for its first task, each of its threads traced. */
const startTraced = async (world: World, point: Point | null) => {
  const host = world.startHost()
  const gone = once(host, 'exit')
  const isGone = (): boolean => host.exitCode !== null || host.signalCode !== null
  await until('the host', () => isGone() || host.said.join('').includes('host ready'), patienceMs)
  expect(isGone(), host.said.join('')).toBe(false)
  const tracer = await traceThreads(host.pid ?? 0, point)
  return { host, gone, tracer, isGone }
}

/** Every system call of a task's way through its three steps. */
const countPoints = async (routing: string): Promise<Point[]> => {
  await using world = await createWorld(routings[routing] ?? {}, { env })
  const { host, gone, tracer } = await startTraced(world, null)
  await bringTask(world)
  await until('the task', () => isDone(world), patienceMs)
  const counts = await tracer.counts()
  host.kill('SIGKILL')
  await gone
  return pointsIn(counts)
}

/** True where the host was killed at the point. In any case the next one goes on, and all is as if nothing had been. */
const killAt = async (routing: string, point: Point, program?: string): Promise<boolean> => {
  await using world = await createWorld(routings[routing] ?? {}, { env, ...(program && { program }) })
  const { host, gone, tracer, isGone } = await startTraced(world, point)
  await bringTask(world)
  await until('the task, or the end of the host', async () => isGone() || (await isDone(world)), patienceMs)
  const wasKilled = isGone()
  await tracer.end()
  host.kill('SIGKILL')
  await gone
  const next = world.startHost('--once')
  const [code] = await once(next, 'exit')
  const said = `killed at ${point.call} ${point.n}\n${host.said.join('')}--- the next host\n${next.said.join('')}`
  expect(code, said).toBe(0)
  try {
    await verify(world, 1)
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${said}`, { cause: error })
  }
  return wasKilled
}

/** `count` of them: as many of each kind of call, evenly over its calls. The very last may not come in every run. */
const sample = (all: readonly Point[], count: number): Point[] => {
  const kinds = [...new Set(all.map(({ call }) => call))].map((call) => all.filter((point) => point.call === call))
  const chosen: Point[] = []
  for (const [index, of] of kinds.toSorted((a, b) => a.length - b.length).entries()) {
    const share = Math.ceil((count - chosen.length) / (kinds.length - index))
    const wanted = Math.min(share, of.length)
    for (let n = 0; n < wanted; n += 1) {
      const point = of[Math.floor(((n + 0.5) * 0.9 * of.length) / wanted)]
      if (point) chosen.push(point)
    }
  }
  return chosen
}

const inPairs = async <T>(all: readonly T[], work: (one: T) => Promise<boolean>): Promise<number> => {
  const queue = [...all]
  let killed = 0
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) if (await work(next)) killed += 1
  }
  await Promise.all([worker(), worker()])
  return killed
}

for (const routing of ['files', 'postgres'])
  test(`host kill sweep: killed at any system call of a three-step run, each step is reported once: ${routing}`, {
    timeout: longest,
  }, async () => {
    const all = await countPoints(routing)
    const points = sample(all, isLong ? 260 : 20)
    const killed = await inPairs(points, (point) => killAt(routing, point))
    report(`host kill sweep, ${routing}`, {
      of: all.length,
      points: killed,
      missed: points.length - killed,
      doubled: 0,
    })
    expect(killed).toBeGreaterThanOrEqual(isLong ? 200 : 14)
  })

test('host kill sweep: a host that adopts no run is caught', async () => {
  await using host = await plantedHost('strange-runs', /\/task\/attempts\.ts$/)
  const points = sample(await countPoints('files'), 18)
  const found: string[] = []
  for (const point of points)
    if (found.length === 0) await killAt('files', point, host.main).catch((error: Error) => found.push(error.message))
  report('host kill sweep, planted', { caught: found.length })
  expect(found.join('')).toMatch(/attempts of|to deeply equal/)
})
