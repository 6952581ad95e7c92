import { CommandError } from '../cli/exit.ts'
import { removeCopied } from './copy.ts'
import { closedStores } from './marks.ts'
import { isOpen, type Migration, moveOptions } from './migration.ts'
import { isCurrent, latest, missing, now, type OrderOptions } from './orders.ts'
import { checkPlaces } from './places.ts'
import type { Site } from './site.ts'
import { bringStrays, leftText, type Strays } from './strays.ts'

const holdsMailbox = ({ backends }: Site, { from, stores }: Migration): boolean =>
  backends[from].capabilities.mailbox === true && stores.includes('inbox')

/** Whether the source's copy is still only that. Killed at its end, a finish had opened the inbox already. */
const isKept = (site: Site, migration: Migration, isBegun: boolean, signal: AbortSignal): Promise<boolean> => {
  const { stores } = migration
  const looked = isBegun && holdsMailbox(site, migration) ? stores.filter((store) => store !== 'inbox') : stores
  return isCurrent(site, { ...migration, stores: looked.length > 0 ? looked : stores }, signal)
}

/** The copy must be what was moved: what else is in it nobody has seen. */
const refuseLate = (found: Strays, { from, to }: Migration, { force }: { force: boolean }): void => {
  if (force || found.left.length + found.unknown.length === 0) return
  const unknown = found.unknown.map((store) => `${store}: what it held when it was closed is not known any more`)
  throw new CommandError(
    'different',
    `${from} holds something else than what was moved:\n${[...unknown, leftText(found)].join('\n')}\nSee: nexus-admin diff --from ${from} --to ${to}; then repeat this with --force.`,
  )
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
  const sheets = site.folder.sheets(migration)
  refuseLate(await bringStrays({ ...options, ends: site.ends, sheets }, migration), migration, options)
  const begun = { ...migration, ended_at: now() }
  await site.folder.save(begun)
  let kept = 0
  for (const store of await closedStores(site.ends.source, migration, options.signal)) {
    const { records = null } = migration.verified?.find((each) => each.store === store) ?? {}
    options.progress.begin(`removing ${store}`, records)
    kept += await removeCopied(site.ends, store, {
      all: options.force,
      sheets,
      signal: options.signal,
      onPage: ({ read }) => options.progress.add(read),
    })
    options.progress.end()
  }
  if (kept > 0)
    throw new CommandError(
      'different',
      `${kept} records have come to ${migration.from} while its copy was deleted, and stay there. Repeat this, and they are moved too: nexus-admin migrate finish ${moveOptions(migration)}`,
    )
  // Files dropped into a folder are tasks wherever the inbox is: with nothing of ours left in it, it takes them in again.
  if (holdsMailbox(site, migration)) await site.ends.source.records.unmarkMoved(['inbox'], options)
  const finished: Migration = { ...begun, phase: 'finished', ended_at: now() }
  // Before the receipt says that it is over: killed between the two, a repeated call still finds something to do.
  await sheets.remove()
  await site.folder.save(finished)
  return finished
}
