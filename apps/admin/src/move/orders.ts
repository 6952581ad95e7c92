import { createIds, type StoreName, systemClock } from '@nexus/core'
import { forgetQuiet } from '@nexus/host/moving'
import { CommandError } from '../cli/exit.ts'
import { areClosed, areOpen } from './marks.ts'
import { isOpen, isOver, isSameMove, type Migration, moveOptions } from './migration.ts'
import { type MoveTools, moveStores } from './move.ts'
import { checkPlaces, placesOf } from './places.ts'
import { fillingProblems, type PlanOptions, planMove } from './plan.ts'
import type { Progress } from './progress.ts'
import { quietDown, welcomeHosts } from './quiet-hosts.ts'
import { hostStoresOf, movedHostStoresOf, type Site } from './site.ts'
import { bringStrays, leftText } from './strays.ts'

export interface OrderOptions {
  signal: AbortSignal
  progress: Progress
  /** How long to wait for hosts that do not answer, in milliseconds. */
  patienceMs: number
}

export const now = (): string => new Date(systemClock.now()).toISOString()

/** What a move works with on this site. */
export const toolsFor = async (
  site: Site,
  migration: Migration,
  totals: ReadonlyMap<StoreName, number>,
  { signal, progress, patienceMs }: OrderOptions,
): Promise<MoveTools> => ({
  ends: site.ends,
  over: (await site.folder.list()).filter(isOver).map(({ id }) => id),
  save: site.folder.save,
  sheets: site.folder.sheets(migration),
  progress,
  signal,
  totals,
  leaveCorrupt: migration.leave_corrupt,
  now: systemClock.now,
  quietDown: async () => {
    const quieted = await quietDown(hostStoresOf(site), {
      id: migration.id,
      signal,
      patienceMs,
      now: systemClock.monotonic,
      onWaiting: (hosts) => progress.say(`waiting for hosts to begin nothing new: ${hosts.join(', ')}`),
    })
    const problems = await fillingProblems(site, signal)
    if (problems.length === 0) return quieted
    await quieted[Symbol.asyncDispose]()
    await welcomeHosts(hostStoresOf(site))
    throw new CommandError('failed', problems.join('\n'))
  },
  forget: async () => {
    if (site.direction.stores.includes('hostState')) await forgetQuiet(site.ends.source.records)
  },
  welcome: () => welcomeHosts(movedHostStoresOf(site)),
})

/** A move that has not done anything yet. */
export const begin = async (
  { direction, ends }: Site,
  { undoes, leaveCorrupt, signal }: { undoes: string | null; leaveCorrupt: boolean; signal: AbortSignal },
): Promise<Migration> => ({
  version: 1,
  id: createIds(systemClock).next(),
  ...direction,
  places: await placesOf(ends, signal),
  leave_corrupt: leaveCorrupt,
  phase: 'copying',
  undoes,
  started_at: now(),
  closed_at: null,
  moved_at: null,
  ended_at: null,
  passes: [],
  verified: null,
})

/** The latest move of this direction and these stores that a test finds fit. */
export const latest = async (site: Site, fits: (migration: Migration) => boolean): Promise<Migration | null> =>
  (await site.folder.list()).filter((each) => isSameMove(each, site.direction) && fits(each)).at(-1) ?? null

export const missing = ({ direction }: Site, what: string): CommandError =>
  new CommandError(
    'failed',
    `There is no move of this kind to ${what}. Begin one: nexus-admin migrate run ${moveOptions(direction)}`,
  )

/** Whether a move that is over still says where the stores are: none of a later time has gone the other way. */
export const isCurrent = async ({ ends }: Site, migration: Migration, signal: AbortSignal): Promise<boolean> =>
  (await areClosed(ends.source, migration, signal)) && (await areOpen(ends.target, migration, signal))

/** Whether a later one has moved some of its stores since. */
const isSuperseded = async ({ folder }: Site, { id, stores }: Migration): Promise<boolean> =>
  (await folder.list()).some(
    (other) =>
      other.id > id &&
      (other.phase === 'moved' || other.phase === 'finished') &&
      other.stores.some((store) => stores.includes(store)),
  )

/** A move that is over: what has come late to its source is moved too. */
const goOnMoved = async (site: Site, moved: Migration, options: OrderOptions): Promise<Migration> => {
  const tools = await toolsFor(site, moved, new Map(), options)
  const found = await bringStrays(tools, moved)
  if (found.unknown.length > 0)
    options.progress.say(
      `Whether records came late to ${moved.from} is not known any more: ${found.unknown.join(', ')}`,
    )
  if (found.left.length > 0)
    throw new CommandError(
      'different',
      `It is moved, and these records of the copy in ${moved.from} are not as they were then:\n${leftText(found)}\nSee: nexus-admin migrate verify ${moveOptions(moved)}`,
    )
  return moveStores(tools, moved)
}

/** Moves the stores, or goes on with it. */
export const runMove = async (
  site: Site,
  options: OrderOptions & Pick<PlanOptions, 'leaveCorrupt'>,
): Promise<Migration> => {
  await using _lock = await site.folder.lock()
  const { signal } = options
  const done = await latest(site, ({ phase }) => phase === 'moved')
  if (done && !(await isSuperseded(site, done))) {
    await checkPlaces(site.ends, done, signal)
    if (await isCurrent(site, done, signal)) return await goOnMoved(site, done, options)
  }
  const begun = await latest(site, isOpen)
  if (begun) await checkPlaces(site.ends, begun, signal)
  const leaveCorrupt = options.leaveCorrupt || begun?.leave_corrupt === true
  const underWay = begun && { ...begun, leave_corrupt: leaveCorrupt }
  // Nothing that a plan looks for can be mended by hosts any more: with the source closed there is one way, on.
  if (underWay?.phase === 'closing' && (await areClosed(site.ends.source, underWay, signal)))
    return await moveStores(await toolsFor(site, underWay, new Map(), options), underWay)
  const plan = await planMove(site, { leaveCorrupt, signal })
  if (plan.problems.length > 0) throw new CommandError('failed', plan.problems.join('\n'))
  const migration = underWay ?? (await begin(site, { undoes: null, leaveCorrupt, signal }))
  await site.folder.save(migration)
  // Awaited here: the lock is given back where this returns.
  const totals = new Map(plan.stores.map(({ store, records }) => [store, records]))
  return await moveStores(await toolsFor(site, migration, totals, options), migration)
}
