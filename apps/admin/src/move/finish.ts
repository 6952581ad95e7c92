import type { StoreName } from '@nexus/core'
import { CommandError } from '../cli/exit.ts'
import { measureStore, removeCopied } from './copy.ts'
import { isOpen, type Migration, moveOptions } from './migration.ts'
import { isCurrent, latest, missing, now, type OrderOptions } from './orders.ts'
import { checkPlaces } from './places.ts'
import type { Site } from './site.ts'

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
  await checkPlaces(site.ends, migration, options.signal)
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
