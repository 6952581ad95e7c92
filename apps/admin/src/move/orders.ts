import { createIds, type StoreName, systemClock } from '@nexus/core'
import { forgetQuiet } from '@nexus/host/moving'
import { CommandError } from '../cli/exit.ts'
import { sourceDifferences, targetExtras } from './compare.ts'
import { emptyStore, measureStore, removeCopied } from './copy.ts'
import { isOpen, isSameMove, type Migration, moveOptions } from './migration.ts'
import { areClosed, isMarkOf, type MoveTools, moveStores, wasOpened } from './move.ts'
import { fillingProblems, type PlanOptions, planMove } from './plan.ts'
import type { Progress } from './progress.ts'
import { quietDown, welcomeHosts } from './quiet-hosts.ts'
import { hostStoresOf, movedHostStoresOf, type Site, turnedRound } from './site.ts'

export interface OrderOptions {
  signal: AbortSignal
  progress: Progress
  /** How long to wait for hosts that do not answer, in milliseconds. */
  patienceMs: number
}

const now = (): string => new Date(systemClock.now()).toISOString()

const toolsFor = (
  site: Site,
  id: string,
  totals: ReadonlyMap<StoreName, number>,
  { signal, progress, patienceMs, leaveCorrupt = false }: OrderOptions & { leaveCorrupt?: boolean },
): MoveTools => ({
  ends: site.ends,
  save: site.folder.save,
  progress,
  signal,
  totals,
  leaveCorrupt,
  now: systemClock.now,
  quietDown: async () => {
    const quieted = await quietDown(hostStoresOf(site), {
      id,
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

const begin = ({ direction }: Site, undoes: string | null): Migration => ({
  version: 1,
  id: createIds(systemClock).next(),
  ...direction,
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
const latest = async (site: Site, fits: (migration: Migration) => boolean): Promise<Migration | null> =>
  (await site.folder.list()).filter((each) => isSameMove(each, site.direction) && fits(each)).at(-1) ?? null

const missing = ({ direction }: Site, what: string): CommandError =>
  new CommandError(
    'failed',
    `There is no move of this kind to ${what}. Begin one: nexus-admin migrate run ${moveOptions(direction)}`,
  )

/** Whether a move that is over still says where the stores are: none of a later time has gone the other way. */
const isCurrent = async ({ ends }: Site, { stores, from, to }: Migration, signal: AbortSignal): Promise<boolean> =>
  (await areClosed(ends.source, stores, to, signal)) && !(await areClosed(ends.target, stores, from, signal))

/** Moves the stores, or goes on with it. */
export const runMove = async (
  site: Site,
  options: OrderOptions & Pick<PlanOptions, 'leaveCorrupt'>,
): Promise<Migration> => {
  await using _lock = await site.folder.lock()
  const done = await latest(site, ({ phase }) => phase === 'moved')
  if (done && (await isCurrent(site, done, options.signal)))
    return moveStores(toolsFor(site, done.id, new Map(), options), done)
  const underWay = await latest(site, isOpen)
  // Nothing that a plan looks for can be mended by hosts any more: with the source closed there is one way, on.
  if (
    underWay?.phase === 'closing' &&
    (await areClosed(site.ends.source, underWay.stores, underWay.to, options.signal))
  )
    return moveStores(toolsFor(site, underWay.id, new Map(), options), underWay)
  const plan = await planMove(site, options)
  if (plan.problems.length > 0) throw new CommandError('failed', plan.problems.join('\n'))
  const migration = underWay ?? begin(site, null)
  await site.folder.save(migration)
  const totals = new Map(plan.stores.map(({ store, records }) => [store, records]))
  return moveStores(toolsFor(site, migration.id, totals, options), migration)
}

/** What has come to the source's copy since the move, by programs that did not know of it. */
const changedStores = async ({ ends }: Site, { verified }: Migration, options: OrderOptions): Promise<StoreName[]> => {
  const changed: StoreName[] = []
  for (const { store, records, sha256 } of verified ?? []) {
    options.progress.begin(`checking ${store}`, records)
    const measured = await measureStore(ends.source, store, {
      signal: options.signal,
      onPage: ({ read }) => options.progress.add(read),
    })
    options.progress.end()
    if (measured.records !== records || measured.sha256 !== sha256) changed.push(store)
  }
  return changed
}

const holdsMailbox = ({ backends }: Site, { from, stores }: Migration): boolean =>
  backends[from].capabilities.mailbox === true && stores.includes('inbox')

/** Whether the source's copy is still only that. Killed at its end, a finish had opened the inbox already. */
const isKept = (site: Site, migration: Migration, isBegun: boolean, signal: AbortSignal): Promise<boolean> => {
  const { stores } = migration
  const looked = isBegun && holdsMailbox(site, migration) ? stores.filter((store) => store !== 'inbox') : stores
  return isCurrent(site, { ...migration, stores: looked.length > 0 ? looked : stores }, signal)
}

/** Deletes the source's copy of a move that is over. The source stays closed. Killed, it goes on when repeated. */
export const finishMove = async (site: Site, options: OrderOptions & { force: boolean }): Promise<Migration> => {
  await using _lock = await site.folder.lock()
  const migration = await latest(site, ({ phase }) => phase === 'moved' || phase === 'finished')
  if (!migration) throw missing(site, 'finish')
  if (migration.phase === 'finished') return migration
  const underWay = (await site.folder.list()).find(isOpen)
  if (underWay)
    throw new CommandError('failed', `Another move is under way: nexus-admin migrate run ${moveOptions(underWay)}`)
  const isBegun = migration.ended_at !== null
  if (!(await isKept(site, migration, isBegun, options.signal)))
    throw new CommandError('failed', `${migration.from} is at home again for these stores: there is no copy to delete.`)
  const changed = isBegun || options.force ? [] : await changedStores(site, migration, options)
  if (changed.length > 0)
    throw new CommandError(
      'different',
      `${migration.from} holds something else than what was moved: ${changed.join(', ')}. See: nexus-admin diff --from ${migration.from} --to ${migration.to}; then repeat this with --force.`,
    )
  const begun = { ...migration, ended_at: now() }
  await site.folder.save(begun)
  let kept = 0
  for (const { store, records } of migration.verified ?? []) {
    options.progress.begin(`removing ${store}`, records)
    kept += await removeCopied(site.ends, store, {
      all: options.force,
      signal: options.signal,
      onPage: ({ read }) => options.progress.add(read),
    })
    options.progress.end()
  }
  if (kept > 0)
    throw new CommandError(
      'different',
      `${kept} records stay in ${migration.from}, since ${migration.to} has none under their keys: hosts have deleted them there since, or NEXUS_STORAGE_DSN names another database. See: nexus-admin diff --from ${migration.from} --to ${migration.to}; to delete them too: nexus-admin migrate finish ${moveOptions(migration)} --force`,
    )
  // Files dropped into a folder are tasks wherever the inbox is: with nothing of ours left in it, it takes them in again.
  if (holdsMailbox(site, migration)) await site.ends.source.records.unmarkMoved(['inbox'], options)
  const finished: Migration = { ...begun, phase: 'finished', ended_at: now() }
  await site.folder.save(finished)
  return finished
}

/** What a move back would do to the source's copy. */
export interface Loss {
  /** Records that come back new or changed. */
  written: number
  /** Records that only the source's copy has. */
  removed: number
}

export const lossOf = async (site: Site, { signal }: Pick<OrderOptions, 'signal'>): Promise<Loss> => {
  const { ends, direction } = turnedRound(site)
  const loss: Loss = { written: 0, removed: 0 }
  for (const store of direction.stores) {
    for await (const { missing: absent, changed } of sourceDifferences(ends, store, signal))
      loss.written += absent.length + changed.length
    for await (const { extra } of targetExtras(ends, store, signal)) loss.removed += extra.length
  }
  return loss
}

/** The move that is to be taken back, and whether the target has been at home since. */
export const undoable = async (
  site: Site,
  { signal }: Pick<OrderOptions, 'signal'>,
): Promise<{ migration: Migration; wasOpened: boolean }> => {
  const migration = await latest(site, ({ phase }) => phase !== 'undone' && phase !== 'finished')
  if (!migration) throw missing(site, 'take back')
  const { phase } = migration
  return {
    migration,
    wasOpened: phase === 'moved' || (await wasOpened(site.ends, migration, signal)),
  }
}

/** Before the target was opened: the source is at home again, and the copies at the target go. */
const giveUp = async (site: Site, migration: Migration, options: OrderOptions): Promise<void> => {
  const { source, target } = site.ends
  // Remembered first: killed from here on, a repeated run copies anew and a repeated undo goes on.
  await site.folder.save({ ...migration, phase: 'copying', closed_at: null, passes: [], verified: null })
  await source.records.unmarkMoved(migration.stores, options)
  await welcomeHosts(hostStoresOf(site))
  // The target of a move back is the copy that the first move has kept: it stays, and stays closed.
  if (migration.undoes !== null) return
  // Where a store is open already nothing of ours is left, and others may have begun to use it.
  const fenced = (await target.records.moved(options)).filter(
    (mark) => migration.stores.includes(mark.store) && isMarkOf(mark, migration),
  )
  for (const { store } of fenced) {
    await emptyStore(target, store, { signal: options.signal })
    await target.records.unmarkMoved([store], options)
  }
}

/** A move back deletes from the copy what the target has not: only of a move that still says where the stores are. */
const refuseUnfitUndo = async (site: Site, migration: Migration, signal: AbortSignal): Promise<void> => {
  const { from, to } = migration
  if (!(await isCurrent(site, migration, signal)))
    throw new CommandError(
      'failed',
      `This move from ${from} to ${to} no longer says where the stores are: another one has changed that since, or NEXUS_STORAGE_DSN names another database than then. Nothing was changed. See: nexus-admin migrate verify ${moveOptions(migration)}`,
    )
  const problems = await fillingProblems(site, signal)
  if (problems.length > 0) throw new CommandError('failed', problems.join('\n'))
}

/**
 * Takes a move back. One that is not over ends; after one that is, the changes since are moved back by a move of their own, whose
 * receipt names the first. Killed, it goes on when repeated.
 */
export const undoMove = async (site: Site, options: OrderOptions): Promise<Migration> => {
  await using _lock = await site.folder.lock()
  const { migration, wasOpened } = await undoable(site, options)
  if (wasOpened) {
    const back = turnedRound(site)
    const known = await latest(back, ({ undoes, phase }) => undoes === migration.id && phase !== 'undone')
    if (!known) await refuseUnfitUndo(site, migration, options.signal)
    const begun = known ?? begin(back, migration.id)
    await site.folder.save(begun)
    await moveStores(toolsFor(back, begun.id, new Map(), options), begun)
  } else await giveUp(site, migration, options)
  const undone: Migration = { ...migration, phase: 'undone', ended_at: now() }
  await site.folder.save(undone)
  return undone
}
