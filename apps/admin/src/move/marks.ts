import type { Moved, StoreName } from '@nexus/core'
import { CommandError } from '../cli/exit.ts'
import type { End, Ends } from './ends.ts'
import { type Migration, moveOptions } from './migration.ts'

const marksOf = ({ id, stores }: Migration, to: string, at: string): Moved[] =>
  stores.map((store) => ({ store, to, at: new Date(at), by: id }))

/** Put by this move, or by the one that it takes back: that one has closed the kept copy which a move back goes to. */
const isOf = ({ by }: Moved, { id, undoes }: Migration): boolean => by === id || (undoes !== null && by === undoes)

/** The marks that a side has of the move's stores, whoever put them. */
const marksOn = async ({ records }: End, { stores }: Migration, signal: AbortSignal): Promise<Moved[]> =>
  records.moved({ signal, stores })

/** Which of the stores a side has closed for this move. */
export const closedStores = async (end: End, migration: Migration, signal: AbortSignal): Promise<StoreName[]> =>
  (await marksOn(end, migration, signal)).filter((mark) => isOf(mark, migration)).map(({ store }) => store)

/** Whether a side has closed all of its stores for this move. */
export const areClosed = async (end: End, migration: Migration, signal: AbortSignal): Promise<boolean> =>
  (await closedStores(end, migration, signal)).length === migration.stores.length

/** Whether a side is at home for all of its stores. */
export const areOpen = async (end: End, migration: Migration, signal: AbortSignal): Promise<boolean> =>
  (await marksOn(end, migration, signal)).length === 0

// Where hosts keep completions elsewhere, a report that lies in the mailbox is theirs to take in.
const isEmpty = async ({ records }: End, store: StoreName, signal: AbortSignal): Promise<boolean> => {
  const { items, corrupt } = await records.read(store, { limit: 1, takeIn: false }, { signal })
  return items.length + corrupt.length === 0
}

const refuseMarked = ({ store, by = 'an unknown one' }: Moved, { name }: End): never => {
  throw new CommandError(
    'locked',
    `Another move has closed ${store} in ${name}: ${by}. It may have been begun from another root. Nothing was changed: finish it or take it back where it was begun, or name another database or root.`,
  )
}

const refuseFilled = (store: StoreName, { name }: End, migration: Migration): never => {
  throw new CommandError(
    'failed',
    `${store} in ${name} is open and holds records that this move has not put there. Nothing there was changed. Empty it, or take the move back and name an empty database or root: nexus-admin migrate undo ${moveOptions(migration)}`,
  )
}

export interface ClaimOptions {
  signal: AbortSignal
  /** Moves of this root that are over: what they have closed for good another one may take. */
  over: readonly string[]
}

/**
 * Closes the target for this move, for which no other one may have closed it. What is not closed by this very move must be
 * empty, since a pass deletes what the source has not.
 */
export const claimTarget = async ({ target, source }: Ends, migration: Migration, options: ClaimOptions) => {
  const { signal, over } = options
  const marks = await marksOn(target, migration, signal)
  const foreign = marks.find((mark) => !isOf(mark, migration) && !(mark.by !== undefined && over.includes(mark.by)))
  if (foreign) refuseMarked(foreign, target)
  const own = marks.filter((mark) => isOf(mark, migration)).map(({ store }) => store)
  const fresh = migration.stores.filter((store) => !own.includes(store))
  // The kept copy stays closed by the move that kept it: a move back that is given up leaves it so.
  if (fresh.length === 0) return
  for (const store of fresh) if (!(await isEmpty(target, store, signal))) refuseFilled(store, target, migration)
  const put = marksOf({ ...migration, stores: fresh }, source.name, migration.started_at)
  const [inTheWay] = await target.records.markMoved(put, { signal, over })
  if (inTheWay) refuseMarked(inTheWay, target)
  for (const store of fresh) {
    if (await isEmpty(target, store, signal)) continue
    // Somebody was faster, and has opened it again since.
    await target.records.unmarkMoved(fresh, { signal })
    refuseFilled(store, target, migration)
  }
}

/**
 * The stores in which hosts are asked to begin nothing new. They are closed last, in this order: killed before the first of them,
 * the hosts can be asked again; without the inbox none begins anything.
 */
export const askedIn: readonly StoreName[] = ['inbox', 'hostState']

/** Closes the source: from here on nobody's write is acknowledged there. */
export const closeSource = async ({ source, target }: Ends, migration: Migration, at: string, signal: AbortSignal) => {
  const stores = [...migration.stores].sort((one, other) => askedIn.indexOf(one) - askedIn.indexOf(other))
  const [inTheWay] = await source.records.markMoved(marksOf({ ...migration, stores }, target.name, at), { signal })
  if (inTheWay) refuseMarked(inTheWay, source)
}

/** Opens what this move has closed on a side, and nothing else. */
export const openAgain = async (end: End, migration: Migration, signal: AbortSignal): Promise<void> => {
  const closed = await closedStores(end, migration, signal)
  if (closed.length > 0) await end.records.unmarkMoved(closed, { signal })
}
