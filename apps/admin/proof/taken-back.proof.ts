import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Backend,
  type BackendName,
  createIds,
  recordKey,
  type StoreName,
  silentLogger,
  storeNames,
  systemClock,
} from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contentOf } from '../src/move/content.ts'
import { openMoveFolder } from '../src/move/folder.ts'
import { recordPages } from '../src/move/pages.ts'
import { type Ground, grounds } from '../test/admin.ts'
import { type MigratorEnd, runMigrator } from './migrator.ts'
import { type BuiltAdmin, plantedAdmin } from './planted.ts'
import { fillStore, report } from './records.ts'

const isLong = process.env['NEXUS_PROOF'] === 'long'
const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? Math.trunc(Math.random() * 1e9))
/** So many points of each order, unless all of them are tried. */
const fewPoints = 5
/** One task among them is held. */
const amount = 12
const { signal } = new AbortController()

const context = {
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown' as const,
}

const other = (name: BackendName): BackendName => (name === 'postgres' ? 'filesystem' : 'postgres')

const openEnd = ({ env }: Ground, name: BackendName): Promise<Backend> =>
  name === 'postgres'
    ? openPgBackend({ dsn: env['NEXUS_STORAGE_DSN'] ?? '', ...context })
    : openFsBackend({ root: env['NEXUS_DIR'] ?? '', ...context })

const recordsOf = ({ records }: Backend) => {
  if (!records) throw new Error('no records')
  return records
}

/** Everything that one side holds, by store and key, and which stores it has closed. */
const look = async (ground: Ground, name: BackendName) => {
  await using backend = await openEnd(ground, name)
  const records = recordsOf(backend)
  const held: Record<string, string> = {}
  const add = async <S extends StoreName>(store: S): Promise<void> => {
    for await (const { items, corrupt } of recordPages(records, store, signal)) {
      expect(corrupt).toEqual([])
      for (const item of items) held[`${store} ${recordKey[store](item)}`] = contentOf(store, item)
    }
  }
  for (const store of storeNames) await add(store)
  return { held, closed: (await records.moved()).map(({ store }) => store).sort() }
}

/** A ground with everything at `from`. */
const openGround = async (from: BackendName): Promise<Ground> => {
  const mixed = await grounds.mixed()
  const ground = { ...mixed, env: { ...mixed.env, NEXUS_INBOX_BACKEND: '', NEXUS_COMPLETION_BACKEND: '' } }
  await using source = await openEnd(ground, from)
  for (const store of storeNames) await fillStore(recordsOf(source), store, amount)
  return ground
}

/** What hosts do at the target after the move. */
const work = async (ground: Ground, at: BackendName): Promise<void> => {
  await using target = await openEnd(ground, at)
  await target.hostState.save('since', [1])
  await target.hostState.delete('state_3')
  await target.taskFiles.save({ project: 'alpha', filename: 'task-4.md', content: 'other words' })
}

type Order = 'run' | 'finish' | 'undo'

let planted: BuiltAdmin
beforeAll(async () => {
  planted = await plantedAdmin('killed-at', /\/move\/(ends|folder)\.ts$/)
})
afterAll(() => planted[Symbol.asyncDispose]())

const ordered = (
  { env }: Ground,
  order: Order,
  { from, killAt }: { from: BackendName; killAt?: string | number },
): Promise<MigratorEnd> => {
  const more = order === 'finish' ? ['--yes'] : ['--drain-timeout', '0', ...(order === 'undo' ? ['--yes'] : [])]
  const args = ['migrate', order, '--from', from, '--to', other(from), ...more]
  if (killAt === undefined) return runMigrator(args, { env })
  return runMigrator(args, { env: { ...env, NEXUS_PROOF_KILL_AT: String(killAt) }, program: planted.main })
}

const succeeded = ({ status, stderr }: MigratorEnd, what: string): void => expect(status, `${what}\n${stderr}`).toBe(0)

const killed = async (ending: Promise<MigratorEnd>, what: string): Promise<MigratorEnd> => {
  const end = await ending
  expect(end.wasKilled, `${what} ended with ${end.status}\n${end.stderr}`).toBe(true)
  return end
}

const pointsOf = ({ stderr }: MigratorEnd): string[] =>
  [...stderr.matchAll(/^point: (.*)$/gm)].map(([, point = '']) => point)

type Sides = Record<'source' | 'target', Awaited<ReturnType<typeof look>>>

const sidesOf = async (ground: Ground, from: BackendName): Promise<Sides> => ({
  source: await look(ground, from),
  target: await look(ground, other(from)),
})

interface Case {
  order: 'finish' | 'undo'
  /** Brings a ground to where the order is given. */
  prepare(ground: Ground, from: BackendName): Promise<void>
  /** What must be true wherever it was killed. */
  always(before: Sides, now: Sides): void
  /** What must be true in the end. */
  last(before: Sides, now: Sides, from: BackendName): void
}

const neverBothOpen = (_: Sides, { source, target }: Sides): void =>
  expect([...new Set([...source.closed, ...target.closed])].sort()).toEqual([...storeNames].sort())

const move = async (ground: Ground, from: BackendName): Promise<void> =>
  succeeded(await ordered(ground, 'run', { from }), 'run')

/** Without what the migrator itself has asked the hosts for. */
const ownRecords = ({ held }: Sides['source']): Record<string, string> =>
  Object.fromEntries(Object.entries(held).filter(([key]) => key !== 'hostState host_control'))

/** What comes back from a move that was not over: the source as it was, and nothing at the target. */
const isGivenUp: Case['last'] = (before, { source, target }) => {
  expect(source).toEqual({ held: ownRecords(before.source), closed: [] })
  expect(target).toEqual({ held: {}, closed: [] })
}

const cases: Readonly<Record<string, Case>> = {
  finish: {
    order: 'finish',
    prepare: move,
    always: (before, { target }) => expect(target).toEqual(before.target),
    last(before, { source, target }, from) {
      expect(target).toEqual(before.target)
      const open = from === 'filesystem' ? ['inbox'] : []
      const closed = storeNames.filter((store) => !open.includes(store)).sort()
      expect(source).toEqual({ held: {}, closed })
    },
  },
  undo: {
    order: 'undo',
    async prepare(ground, from) {
      await move(ground, from)
      await work(ground, other(from))
    },
    always: neverBothOpen,
    last(before, { source, target }) {
      expect(source).toEqual({ held: before.target.held, closed: [] })
      expect(target).toEqual({ held: before.target.held, closed: [...storeNames].sort() })
    },
  },
  'giving up while it is copied': {
    order: 'undo',
    async prepare(ground, from) {
      const killAt = `after write completions ${other(from)}`
      await killed(ordered(ground, 'run', { from, killAt }), 'run')
    },
    always: (before, { source }) => expect(source).toEqual(before.source),
    last: isGivenUp,
  },
  'giving up with both sides closed': {
    order: 'undo',
    async prepare(ground, from) {
      await killed(ordered(ground, 'run', { from, killAt: `after mark ${from}` }), 'run')
    },
    always: (before, { source }) => expect(ownRecords(source)).toEqual(ownRecords(before.source)),
    last: isGivenUp,
  },
}

/** Some of the points from 1 on, evenly over all, other ones with another seed. */
const drawn = (points: number): number[] => {
  const all = Array.from({ length: points }, (_, n) => n + 1)
  const step = points / fewPoints
  return isLong ? all : Array.from({ length: fewPoints }, (_, n) => all[Math.floor(step * n + (seed % step))] ?? points)
}

const movesOf = ({ env }: Ground) => openMoveFolder(env['NEXUS_DIR'] ?? '').list()

/** What lies in the folder of the moves for nobody: only a move that may still be finished or taken back has sheets. */
const leftBehind = async (ground: Ground): Promise<string[]> => {
  const names = readdirSync(join(ground.env['NEXUS_DIR'] ?? '', '.move'))
  const moved = (await movesOf(ground)).filter(({ phase }) => phase === 'moved')
  return names.filter(
    (name) => name !== 'lock' && !name.endsWith('.json') && !moved.some(({ id }) => name.startsWith(id)),
  )
}

/** One order on a ground of its own, killed at a point and repeated; answers what it passed. */
const play = async ({ order, prepare, always, last }: Case, from: BackendName, killAt: number): Promise<string[]> => {
  await using ground = await openGround(from)
  await prepare(ground, from)
  const before = await sidesOf(ground, from)
  if (killAt === 0) {
    const end = await ordered(ground, order, { from, killAt })
    succeeded(end, order)
    last(before, await sidesOf(ground, from), from)
    return pointsOf(end)
  }
  const end = await killed(ordered(ground, order, { from, killAt }), `${order} ${killAt}`)
  const points = pointsOf(end)
  const where = `${from}, killed ${killAt}: ${points.at(-1)}, seed ${seed}`
  const since = await sidesOf(ground, from)
  try {
    always(before, since)
    // Whoever repeats an undo that is over is told that there is none.
    const [first] = await movesOf(ground)
    if (first?.phase !== 'undone') succeeded(await ordered(ground, order, { from }), order)
    last(before, await sidesOf(ground, from), from)
    expect(await leftBehind(ground)).toEqual([])
  } catch (error) {
    throw new Error(where, { cause: error })
  }
  return points
}

for (const [name, each] of Object.entries(cases))
  test(`${name}: killed by kill -9 at a point and repeated, everything is where it belongs`, {
    timeout: isLong ? 3_600_000 : 300_000,
  }, async () => {
    const tried: string[] = []
    for (const from of ['filesystem', 'postgres'] as const) {
      const points = await play(each, from, 0)
      expect(points.length).toBeGreaterThan(fewPoints)
      for (const killAt of drawn(points.length)) tried.push((await play(each, from, killAt)).at(-1) ?? '')
    }
    report(`a move taken back or finished, ${name}`, { kills: tried.length, seed, at: tried.join('; ') })
  })
