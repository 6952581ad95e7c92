import { eachItem, type StoreName, storeNames, storeVariables } from '@nexus/core'
import { journalState } from '@nexus/router'
import { z } from 'zod'
import { envelope } from '../cli/output.ts'
import { findJournal } from '../compose.ts'
import { onlyLookedAt } from './ends.ts'
import { isOpen, isSameMove, type Migration, moveOptions } from './migration.ts'
import { recordPages, textLength } from './pages.ts'
import type { Site } from './site.ts'

/** More are counted, not named. */
const mostNamed = 20

/** What `migrate plan --json` prints. */
export const MovePlan = envelope({
  from: z.string(),
  to: z.string(),
  stores: z.array(
    z.object({
      store: z.enum(storeNames),
      records: z.int(),
      characters: z.int().describe('of text, all together'),
      corrupt: z.int(),
      corrupt_named: z.array(z.object({ name: z.string(), place: z.string(), reason: z.string() })),
    }),
  ),
  under_way: z.string().nullable().describe('the id of this very move, where it was begun and is not over'),
  problems: z.array(z.string()).describe('what must be mended before it can be run'),
  variables: z.record(z.string(), z.string()).describe('what hosts need afterwards'),
})
export type MovePlan = z.output<typeof MovePlan>

type PlannedStore = MovePlan['stores'][number]

const countStore = async ({ ends }: Site, store: StoreName, signal: AbortSignal): Promise<PlannedStore> => {
  const counted: PlannedStore = { store, records: 0, characters: 0, corrupt: 0, corrupt_named: [] }
  for await (const { items, corrupt } of recordPages(onlyLookedAt(ends).source.records, store, signal)) {
    counted.records += items.length
    counted.corrupt += corrupt.length
    for (const item of items) counted.characters += textLength(item)
    for (const { name, place, reason } of corrupt)
      if (counted.corrupt_named.length < mostNamed) counted.corrupt_named.push({ name, place, reason })
  }
  return counted
}

const filledStores = async ({ ends, direction }: Site, signal: AbortSignal): Promise<StoreName[]> => {
  const filled: StoreName[] = []
  for (const store of direction.stores) {
    const { items, corrupt } = await ends.target.records.read(store, { limit: 1, takeIn: false }, { signal })
    if (items.length + corrupt.length > 0) filled.push(store)
  }
  return filled
}

const journalProblems = async ({ config }: Site): Promise<string[]> => {
  const files = await findJournal(config)
  const journal = files && (await journalState(files))
  return journal
    ? [
        `The journal holds ${journal.operations} operations that are not applied yet (${journal.place}). Start a host with the present variables, and wait until none are left: nexus-admin status`,
      ]
    : []
}

const conflictProblems = async ({ backends }: Site, signal: AbortSignal): Promise<string[]> => {
  let count = 0
  for (const { operations } of Object.values(backends))
    if (operations) for await (const _ of eachItem((page) => operations.conflicts(page, { signal }))) count += 1
  return count > 0
    ? [`${count} conflicts are not resolved, and would stay behind. See: nexus-admin journal conflicts`]
    : []
}

/** What a move would leave behind: operations that wait in the journal, and conflicts. */
export const fillingProblems = async (site: Site, signal: AbortSignal): Promise<string[]> => [
  ...(await journalProblems(site)),
  ...(await conflictProblems(site, signal)),
]

const corruptProblems = (stores: readonly PlannedStore[], leaveCorrupt: boolean): string[] =>
  stores
    .filter(({ corrupt }) => corrupt > 0 && !leaveCorrupt)
    .map(
      ({ store, corrupt, corrupt_named: named }) =>
        `${store}: ${corrupt} records cannot be read, ${named[0]?.place} among them. Mend or remove them, or leave them behind with --leave-corrupt.`,
    )

export interface PlanOptions {
  leaveCorrupt: boolean
  signal: AbortSignal
}

/** What stands in the way of a move that has not begun. */
const freshProblems = async (site: Site, others: readonly Migration[], { signal }: PlanOptions): Promise<string[]> => {
  const { direction, ends } = site
  const underWay = others.find(isOpen)
  const away = await ends.source.records.moved({ signal, stores: direction.stores })
  const filled = await filledStores(site, signal)
  return [
    ...(underWay
      ? [
          `Another move is under way. Go on with it: nexus-admin migrate run ${moveOptions(underWay)}; or take it back: nexus-admin migrate undo ${moveOptions(underWay)}`,
        ]
      : []),
    ...away.map(({ store, to }) => `${store} is not at home in ${direction.from}: it moved to ${to}.`),
    ...(filled.length > 0
      ? [
          `${direction.to} is not empty: it holds ${filled.join(', ')}. Look at it with nexus-admin diff --from ${direction.from} --to ${direction.to}, then empty it, or name an empty database or root.`,
        ]
      : []),
  ]
}

/** Counts everything that is to move, and finds what stands in the way. Changes nothing. */
export const planMove = async (site: Site, options: PlanOptions): Promise<MovePlan> => {
  const { direction, folder } = site
  const stores: PlannedStore[] = []
  for (const store of direction.stores) stores.push(await countStore(site, store, options.signal))
  const known = await folder.list()
  const own = known.find((migration) => isOpen(migration) && isSameMove(migration, direction)) ?? null
  return {
    version: 1,
    from: direction.from,
    to: direction.to,
    stores,
    under_way: own?.id ?? null,
    problems: [
      ...(own ? [] : await freshProblems(site, known, options)),
      ...(await fillingProblems(site, options.signal)),
      ...corruptProblems(stores, options.leaveCorrupt),
    ],
    variables: Object.fromEntries(direction.stores.map((store) => [storeVariables[store], direction.to])),
  }
}

const sizeText = (characters: number): string =>
  characters < 1_000_000 ? `${Math.ceil(characters / 1000)} kB` : `${Math.round(characters / 1_000_000)} MB`

const hint = ({ under_way: underWay, problems, from, to }: MovePlan): string => {
  if (problems.length > 0) return 'It cannot be run before this is mended.'
  return underWay
    ? 'It was begun already: run it again to go on.'
    : `Nothing stands in the way of moving ${from} to ${to}.`
}

export const planText = (plan: MovePlan): string[] => [
  ...plan.stores.map(
    ({ store, records, characters, corrupt }) =>
      `${store.padEnd(11)}  ${records} records, ${sizeText(characters)}${corrupt > 0 ? `, ${corrupt} unreadable` : ''}`,
  ),
  ...plan.problems.map((problem) => `! ${problem}`),
  hint(plan),
  `Afterwards hosts need: ${Object.entries(plan.variables)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`,
]
