import { realpath } from 'node:fs/promises'
import { type StoreName, storeNames } from '@nexus/core'
import { z } from 'zod'
import { audited } from '../audit/audit.ts'
import { usageError } from '../cli/exit.ts'
import type { Line } from '../cli/line.ts'
import { table } from '../cli/table.ts'
import { type Place, withStores } from '../cli/with-stores.ts'
import { type End, endOf } from '../move/ends.ts'
import { createRefusals, putAside } from '../move/refused.ts'
import { interruptible } from '../move/stop-signal.ts'
import { type MergeOptions, mergeStore, type Preference } from './merge.ts'
import { type AdoptedRoot, withRoots } from './open-root.ts'
import { rootAt } from './root-copy.ts'

const Store = z.enum(storeNames)

const Row = z.object({
  root: z.string(),
  store: Store,
  records: z.int(),
  missing: z.int().describe('in the stores and the roots before it: written'),
  equal: z.int(),
  different: z.int(),
  unreadable: z.int().describe('they stay where they are'),
})

const Different = z.object({
  store: Store,
  key: z.string(),
  root: z.string(),
  other: z.string().describe('the root that has it otherwise, or `stores`'),
  stays: z.string().nullable().describe('whose record stays; null: say it with --prefer'),
})

/** What roots hold, and what became of it. */
export const Roots = z.object({
  roots: z.array(Row).describe('as it was found'),
  different: z.array(Different).describe('the first 100 of them'),
  unreadable: z
    .array(z.object({ root: z.string(), store: Store, name: z.string(), reason: z.string() }))
    .describe('the first 100 of them'),
  renamed: z
    .array(z.object({ root: z.string(), task: z.string(), id: z.string() }))
    .describe('the first 100 tasks whose id another task has, and the one that they get'),
  not_kept: z.array(z.object({ store: Store, reason: z.string() })).describe('what the backend cannot keep'),
  unlike: z
    .array(z.object({ store: Store, key: z.string() }))
    .describe('the first 100 records that are not there afterwards'),
})
export type Roots = z.output<typeof Roots>

export interface RootFlags {
  yes?: boolean
  dryRun?: boolean
  prefer?: Preference
}

export type AdoptStatus = 'adopted' | 'planned' | 'refused'

const mostNamed = 100

const none = (): Roots => ({ roots: [], different: [], unreadable: [], renamed: [], not_kept: [], unlike: [] })

type Choice = Pick<MergeOptions, 'prefer' | 'signal'>

const push = <T>(list: T[], item: T): void => {
  if (list.length < mostNamed) list.push(item)
}

/** Every store of every root, in their order, with what is wanted of it; written where `target` is given. */
const mergeAll = async (roots: readonly AdoptedRoot[], stores: End, choice: Choice, target: End | null) => {
  const found = none()
  const wanted: Roots['unlike'] = []
  let count = 0
  const options: MergeOptions = {
    ...choice,
    onCorrupt: (root, store, { name, reason }) => push(found.unreadable, { root, store, name, reason }),
    onClash: (clash) => push(found.different, clash),
    onWanted(store, key) {
      count += 1
      push(wanted, { store, key })
    },
  }
  const mergeOne = (root: AdoptedRoot, index: number, store: StoreName) =>
    mergeStore(
      root,
      target ? [stores] : [stores, ...roots.slice(0, index)],
      store,
      options,
      target && ((records) => target.records.write(store, records, { signal: choice.signal })),
    )
  for (const store of storeNames)
    for (const [index, root] of roots.entries()) {
      const { corrupt, ...row } = await mergeOne(root, index, store)
      const reports = store === 'completions' ? await unreadableReports(root, options) : 0
      found.roots.push({ root: root.name, store, ...row, unreadable: corrupt + reports })
    }
  for (const { name, renamed } of roots) for (const [task, id] of renamed) push(found.renamed, { root: name, task, id })
  return { found, wanted, count }
}

/** Summaries that are no reports: the store leaves them where they are, and does not list them. */
const unreadableReports = async ({ name, originals }: AdoptedRoot, { onCorrupt }: MergeOptions): Promise<number> => {
  let count = 0
  for await (const entry of originals.unreadableReports()) {
    onCorrupt(name, 'completions', entry)
    count += 1
  }
  return count
}

const adoptInto = async (
  place: Place,
  roots: readonly AdoptedRoot[],
  flags: RootFlags,
  signal: AbortSignal,
): Promise<Roots & { status: AdoptStatus }> => {
  const { yes = false, dryRun = false, prefer = null } = flags
  const stores = endOf({ name: 'stores', records: place.stores.records })
  const choice = { prefer, signal }
  const { found, count } = await mergeAll(roots, stores, choice, null)
  if (found.different.length > 0 && prefer === null) return { ...found, status: 'refused' }
  if (!yes || dryRun) return { ...found, status: 'planned' }
  if (count === 0) return { ...found, status: 'adopted' }
  const refusals = createRefusals()
  const target = { name: 'stores', records: putAside(stores.records, refusals.add) }
  await audited(
    place.root,
    { command: 'adopt', arguments: { prefer }, what: roots.map(({ name }) => name) },
    () => mergeAll(roots, stores, choice, target),
    ({ count: written }) => ({ status: 'done', written: written - refusals.count, not_kept: refusals.count }),
  )
  const after = await mergeAll(roots, stores, choice, null)
  return { ...found, not_kept: [...refusals.named], unlike: after.wanted, status: 'adopted' }
}

/** Reports what the roots hold, and with `yes` merges it into the stores. The roots stay as they are. */
export const adoptRoots = async (
  paths: readonly string[],
  flags: RootFlags,
): Promise<Roots & { status: AdoptStatus }> => {
  const roots = await Promise.all(paths.map(rootAt))
  const twice = roots.find((root, index) => roots.indexOf(root) < index)
  if (twice !== undefined) throw usageError(`${twice} is named twice.`)
  return interruptible((signal) =>
    withStores(async (place) => {
      const own = await realpath(place.root).catch(() => place.root)
      if (roots.includes(own)) throw usageError(`${own} is the root in use (NEXUS_DIR): it is read as it lies there.`)
      const stores = endOf({ name: 'stores', records: place.stores.records })
      return withRoots(roots, [stores], signal, (sides) => adoptInto(place, sides, flags, signal))
    }),
  )
}

export const rootsText = ({ roots, different, unreadable, renamed, not_kept: notKept, unlike }: Roots): Line[] => {
  const columns = ['root', 'store', 'records', 'missing', 'equal', 'different', 'unreadable']
  const rows = roots.map((row) => [
    row.root,
    row.store,
    ...[row.records, row.missing, row.equal, row.different, row.unreadable].map(String),
  ])
  return [
    ...table(
      columns.map((heading) => ({ heading })),
      rows,
    ),
    ...different.map(
      ({ store, key, root, other, stays }) =>
        `different: ${store} ${key} in ${root} and ${other}${stays === null ? '' : `; that of ${stays} stays`}`,
    ),
    ...unreadable.map(({ root, store, name, reason }) => `unreadable: ${store} ${name} in ${root}: ${reason}`),
    ...renamed.map(({ root, task, id }) => `another id: the task ${task} of ${root} is ${id} in the stores`),
    ...notKept.map(({ store, reason }) => `not kept: ${store}: ${reason}`),
    ...unlike.map(({ store, key }) => `not as in its root: ${store} ${key}`),
  ]
}
