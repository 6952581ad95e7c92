import type { CorruptEntry, StoreName } from '@nexus/core'
import { CommandError } from '../cli/exit.ts'
import { catchUp, copyStore, type Measure, measureStore, type Pass, type PassOptions } from './copy.ts'
import type { Ends } from './ends.ts'
import { areClosed, askedIn, claimTarget, closedStores, closeSource, openAgain } from './marks.ts'
import { isOpen, type Migration, type MigrationPass, moveOptions } from './migration.ts'
import { checkPlaces } from './places.ts'
import type { Progress } from './progress.ts'
import type { Quieted } from './quiet-hosts.ts'
import { createRefusals, putAside } from './refused.ts'
import type { Sheets } from './sheet.ts'

export interface MoveTools {
  ends: Ends
  /** Remembers how far it is; durable when resolved. */
  save(migration: Migration): Promise<void>
  /** Asks the hosts to begin nothing new, and waits for them. */
  quietDown(): Promise<Quieted>
  /** Takes that request out of a source which is closed already. */
  forget(): Promise<void>
  /** Has hosts begin new work again, wherever the host state is at home now. */
  welcome(): Promise<void>
  /** Where it keeps what the source holds when it is closed. */
  sheets: Sheets
  progress: Progress
  signal: AbortSignal
  now(): number
  /** How many records the source has, where somebody counted them. */
  totals: ReadonlyMap<StoreName, number>
  /** Moves of this root that are over: another may take what they have closed. */
  over: readonly string[]
  /** Whether unreadable records may stay where they are. */
  leaveCorrupt: boolean
}

/** A pass that wrote no more than this leaves little for the last one. */
const fewRecords = 1_000
/** With hosts that write faster than we copy, more passes would change nothing. */
const mostPasses = 5
/** A writer that was between its look at the mark and its write when the source was closed is through by then. */
const mostLastPasses = 5

const iso = (ms: number): string => new Date(ms).toISOString()

const refuseCorrupt = (store: StoreName, [first, ...more]: readonly CorruptEntry[], leaveCorrupt: boolean): void => {
  if (!first || leaveCorrupt) return
  throw new CommandError(
    'failed',
    `${store}: ${more.length + 1} records of the source cannot be read, ${first.place} among them. Mend or remove them, or repeat the command with --leave-corrupt.`,
  )
}

const passOver = async (
  tools: MoveTools,
  { migration, kind, stores }: { migration: Migration; kind: MigrationPass['kind']; stores: readonly StoreName[] },
): Promise<{ migration: Migration; changed: number; refused: string[] }> => {
  const { ends, progress, signal, now, totals, leaveCorrupt } = tools
  const refusals = createRefusals()
  const target = { ...ends.target, records: putAside(ends.target.records, refusals.add) }
  const passes: MigrationPass[] = []
  for (const store of stores) {
    const since = now()
    progress.begin(`${kind === 'copy' ? 'copying' : 'catching up'} ${store}`, totals.get(store) ?? null)
    const options: PassOptions = {
      signal,
      renewHolds: kind === 'last',
      onPage: ({ read }) => progress.add(read),
      onCorrupt: (corrupt) => refuseCorrupt(store, corrupt, leaveCorrupt),
    }
    const isFirst = kind === 'copy' && !migration.passes.some((pass) => pass.store === store)
    // Nothing that the source has not can be in a target that was empty.
    const pass: Pass = await (isFirst ? copyStore : catchUp)({ ...ends, target }, store, options)
    progress.end()
    passes.push({
      store,
      kind,
      read: pass.read,
      written: pass.written,
      removed: pass.removed,
      seconds: Math.round(now() - since) / 1000,
    })
  }
  const next = { ...migration, passes: [...migration.passes, ...passes] }
  await tools.save(next)
  const changed = passes.reduce((sum, { written, removed }) => sum + written + removed, 0)
  return { migration: next, changed, refused: refusals.named.map(({ store, reason }) => `${store}: ${reason}`) }
}

const refuseUnfit = (refused: readonly string[], advice: string): void => {
  if (refused.length === 0) return
  const [named, more] = [refused.slice(0, 20), refused.length - 20]
  const list = [...named, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
  throw new CommandError('failed', `The target cannot keep these records:\n${list}\n${advice}`)
}

/** Copies while hosts go on writing, until a pass finds little that is new. */
const copyAll = async (tools: MoveTools, begun: Migration): Promise<Migration> => {
  let migration = begun
  for (let n = 1; n <= mostPasses; n += 1) {
    const pass = await passOver(tools, { migration, kind: 'copy', stores: migration.stores })
    migration = pass.migration
    refuseUnfit(pass.refused, 'The source is as it was. Change or delete these, and repeat the command.')
    if (pass.changed <= fewRecords) break
  }
  return migration
}

const measureBoth = async ({ ends, progress, signal, totals, sheets }: MoveTools, store: StoreName) => {
  await using sheet = await sheets.begin(store)
  progress.begin(`comparing ${store}`, totals.get(store) ?? null)
  const [source, target] = await Promise.all([
    measureStore(ends.source, store, { signal, onPage: ({ read }) => progress.add(read), onRecord: sheet.add }),
    measureStore(ends.target, store, { signal }),
  ])
  await sheet.end()
  progress.end()
  return { source, target }
}

const isEqual = (one: Measure, other: Measure): boolean => one.records === other.records && one.sha256 === other.sha256

/** With both sides closed: passes until a comparison of everything finds them equal. */
const verifyAll = async (tools: MoveTools, closed: Migration): Promise<Migration> => {
  const { ends } = tools
  let migration = closed
  let unequal: readonly StoreName[] = migration.stores
  for (let n = 1; n <= mostLastPasses && unequal.length > 0; n += 1) {
    const pass = await passOver(tools, { migration, kind: 'last', stores: unequal })
    migration = pass.migration
    refuseUnfit(
      pass.refused,
      `They came at the last moment, and both sides are closed. Take the move back, then change or delete these: nexus-admin migrate undo ${moveOptions(migration)}`,
    )
    const still: StoreName[] = []
    for (const store of unequal) {
      const { source, target } = await measureBoth(tools, store)
      if (source.corrupt > 0 && !tools.leaveCorrupt)
        throw new CommandError(
          'failed',
          `${store}: ${source.corrupt} records of ${ends.source.name} cannot be read any more. Both sides stay closed: mend or remove them, or repeat the command with --leave-corrupt.`,
        )
      if (!isEqual(source, target)) still.push(store)
      else {
        const { records, sha256, corrupt: left } = source
        migration = { ...migration, verified: [...(migration.verified ?? []), { store, records, sha256, left }] }
      }
    }
    unequal = still
  }
  if (unequal.length > 0)
    throw new CommandError(
      'different',
      `After ${mostLastPasses} passes both sides still differ: ${unequal.join(', ')}. Both stay closed; see: nexus-admin migrate verify ${moveOptions(migration)}, or take it back with: nexus-admin migrate undo ${moveOptions(migration)}`,
    )
  return migration
}

/** Ends the move: from here on the target is at home. */
const open = async (tools: MoveTools, verified: Migration): Promise<Migration> => {
  const { ends, signal, now } = tools
  // What was found equal must be known before others write to the target.
  await tools.save(verified)
  await checkPlaces(ends, verified, signal)
  await openAgain(ends.target, verified, signal)
  const moved: Migration = { ...verified, phase: 'moved', moved_at: iso(now()) }
  await tools.save(moved)
  await tools.welcome()
  return moved
}

const close = async (tools: MoveTools, copied: Migration): Promise<Migration> => {
  const { ends, progress, signal, now } = tools
  const closing: Migration = { ...copied, phase: 'closing', verified: null }
  await tools.save(closing)
  const closedNow = await closedStores(ends.source, closing, signal)
  if (closedNow.length === closing.stores.length) return closing
  // Killed between two marks: the hosts have forgotten the request, and are asked again while there is a store to ask them in.
  await using quieted = closedNow.some((store) => askedIn.includes(store)) ? null : await tools.quietDown()
  if (quieted && quieted.silent.length > 0)
    progress.say(`These hosts have not answered, and are refused from now on: ${quieted.silent.join(', ')}`)
  const closedAt = iso(now())
  await closeSource(ends, closing, closedAt, signal)
  await tools.forget()
  const closed = { ...closing, closed_at: closedAt }
  await tools.save(closed)
  return closed
}

/**
 * Whether a killed migrator had opened the target already: then hosts may be at work there, and nothing may be written over. It is
 * opened only after everything was found equal.
 */
export const wasOpened = async (
  { source, target }: Ends,
  migration: Migration,
  signal: AbortSignal,
): Promise<boolean> => {
  const { phase, stores, verified } = migration
  if (phase !== 'closing' || !stores.every((store) => verified?.some((each) => each.store === store))) return false
  return (await areClosed(source, migration, signal)) && !(await areClosed(target, migration, signal))
}

/**
 * Moves stores while hosts are at work on them, and goes on where an earlier one was killed. The target is closed until both are
 * equal, the source from the last pass on: at no moment are both open. Wherever it dies, the same call goes on with it.
 */
export const moveStores = async (tools: MoveTools, migration: Migration): Promise<Migration> => {
  const { ends, signal, over } = tools
  await checkPlaces(ends, migration, signal)
  if (!isOpen(migration)) {
    await tools.welcome()
    return migration
  }
  if (await wasOpened(ends, migration, signal)) return open(tools, migration)
  await claimTarget(ends, migration, { signal, over })
  if (migration.phase === 'closing' && (await areClosed(ends.source, migration, signal))) {
    // Killed right after the last mark: the request to the hosts would be copied, and stay in the copy that is kept.
    await tools.forget()
    return open(tools, await verifyAll(tools, { ...migration, verified: null }))
  }
  const copied = await copyAll(tools, migration)
  return open(tools, await verifyAll(tools, await close(tools, copied)))
}
