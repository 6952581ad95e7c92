import { CommandError } from '../cli/exit.ts'
import { sourceDifferences, targetExtras } from './compare.ts'
import { emptyStore } from './copy.ts'
import { closedStores, openAgain } from './marks.ts'
import { type Migration, moveOptions } from './migration.ts'
import { moveStores, wasOpened } from './move.ts'
import { begin, isCurrent, latest, missing, now, type OrderOptions, toolsFor } from './orders.ts'
import { checkPlaces, checkTargetLost } from './places.ts'
import { fillingProblems } from './plan.ts'
import { welcomeHosts } from './quiet-hosts.ts'
import { hostStoresOf, type Site, turnedRound } from './site.ts'
import { bringStrays, leftText } from './strays.ts'

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

export interface UndoOptions {
  signal: AbortSignal
  /** The identity of a target that is gone for good, while another database or root stands in its place; otherwise null. */
  targetLost: string | null
}

/** The move that is to be taken back, and whether the target has been at home since. */
export const undoable = async (
  site: Site,
  { signal, targetLost }: UndoOptions,
): Promise<{ migration: Migration; wasOpened: boolean }> => {
  const migration = await latest(site, ({ phase }) => phase !== 'undone' && phase !== 'finished')
  if (!migration) throw missing(site, 'take back')
  if (targetLost === null) await checkPlaces(site.ends, migration, signal)
  else await checkTargetLost(site.ends, migration, { lost: targetLost, signal })
  const { phase } = migration
  return {
    migration,
    wasOpened: phase === 'moved' || (await wasOpened(site.ends, migration, signal)),
  }
}

/** Before the target was opened: the source is at home again, and the copies at the target go. */
const giveUp = async (site: Site, migration: Migration, options: OrderOptions & UndoOptions): Promise<void> => {
  const { source, target } = site.ends
  const { signal } = options
  // Remembered first: killed from here on, a repeated run copies anew and a repeated undo goes on.
  await site.folder.save({ ...migration, phase: 'copying', closed_at: null, passes: [], verified: null })
  await openAgain(source, migration, signal)
  await welcomeHosts(hostStoresOf(site))
  // The target of a move back is the copy that the first move has kept: it stays, and stays closed.
  if (migration.undoes !== null || options.targetLost !== null) return
  // Where a store is open already nothing of ours is left, and others may have begun to use it.
  for (const store of await closedStores(target, migration, signal)) {
    await emptyStore(target, store, { signal })
    await target.records.unmarkMoved([store], { signal })
  }
}

/** A move back deletes from the copy what the target has not: only of a move that still says where the stores are. */
const refuseUnfitUndo = async (site: Site, migration: Migration, signal: AbortSignal): Promise<void> => {
  const { from, to } = migration
  if (!(await isCurrent(site, migration, signal)))
    throw new CommandError(
      'failed',
      `This move from ${from} to ${to} no longer says where the stores are: another one has changed that since. Nothing was changed. See: nexus-admin migrate verify ${moveOptions(migration)}`,
    )
  const problems = await fillingProblems(site, signal)
  if (problems.length > 0) throw new CommandError('failed', problems.join('\n'))
}

/** What came late to the copy goes to the target and comes back with the rest: a move back deletes what the target has not. */
const bringLate = async (site: Site, migration: Migration, options: OrderOptions): Promise<void> => {
  const found = await bringStrays({ ...options, ends: site.ends, sheets: site.folder.sheets(migration) }, migration)
  if (found.left.length > 0) options.progress.say(`These become again what ${migration.to} has:\n${leftText(found)}`)
}

/**
 * Takes a move back. One that is not over ends; after one that is, the changes since are moved back by a move of their own, whose
 * receipt names the first. Killed, it goes on when repeated.
 */
export const undoMove = async (site: Site, options: OrderOptions & UndoOptions): Promise<Migration> => {
  await using _lock = await site.folder.lock()
  const { migration, wasOpened } = await undoable(site, options)
  if (wasOpened && options.targetLost === null) {
    const back = turnedRound(site)
    const known = await latest(back, ({ undoes, phase }) => undoes === migration.id && phase !== 'undone')
    if (!known) {
      await refuseUnfitUndo(site, migration, options.signal)
      await bringLate(site, migration, options)
    }
    const begun = known ?? (await begin(back, { undoes: migration.id, leaveCorrupt: false, signal: options.signal }))
    await site.folder.save(begun)
    await moveStores(await toolsFor(back, begun, new Map(), options), begun)
  } else await giveUp(site, migration, options)
  const undone: Migration = { ...migration, phase: 'undone', ended_at: now() }
  // Before the receipt says that it is over: nobody looks for them afterwards.
  await site.folder.sheets(undone).remove()
  await site.folder.save(undone)
  return undone
}
