import { recordKey, type StoreName, storeNames } from '@nexus/core'
import { z } from 'zod'
import type { Line } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import { table } from '../cli/table.ts'
import { sourceDifferences, targetExtras } from './compare.ts'
import { differingMembers } from './content.ts'
import { type Ends, onlyLookedAt } from './ends.ts'
import type { Progress } from './progress.ts'

const Difference = z.object({
  store: z.enum(storeNames),
  key: z.string(),
  is: z.enum(['missing', 'different', 'extra']).describe('of the second side, seen from the first'),
  members: z.array(z.string()).describe('in which both differ'),
})
type Difference = z.output<typeof Difference>

/** What `diff --json` and `migrate verify --json` print. */
export const Differences = envelope({
  from: z.string(),
  to: z.string(),
  equal: z.boolean(),
  stores: z.array(
    z.object({
      store: z.enum(storeNames),
      from_records: z.int(),
      to_records: z.int(),
      missing: z.int(),
      different: z.int(),
      extra: z.int(),
      corrupt: z.int().describe('unreadable on either side; nothing is known of these'),
    }),
  ),
  differences: z.array(Difference).describe('the first of them, as --limit says'),
})
export type Differences = z.output<typeof Differences>

export interface DiffOptions {
  stores: readonly StoreName[]
  /** How many differences are named. */
  limit: number
  signal: AbortSignal
  progress: Progress
}

type Name = (difference: Difference) => void

const compareStore = async <S extends StoreName>(
  ends: Ends,
  store: S,
  { signal, progress }: DiffOptions,
  name: Name,
): Promise<Differences['stores'][number]> => {
  const counts = { from_records: 0, to_records: 0, missing: 0, different: 0, extra: 0, corrupt: 0 }
  progress.begin(`comparing ${store}`, null)
  for await (const { read, missing, changed, corrupt } of sourceDifferences(ends, store, signal)) {
    counts.from_records += read
    counts.missing += missing.length
    counts.different += changed.length
    counts.corrupt += corrupt.length
    for (const record of missing) name({ store, key: recordKey[store](record), is: 'missing', members: [] })
    for (const { source, target } of changed)
      name({
        store,
        key: recordKey[store](source),
        is: 'different',
        members: differingMembers(store, source, target),
      })
    progress.add(read)
  }
  for await (const { read, extra, corrupt } of targetExtras(ends, store, signal)) {
    counts.to_records += read
    counts.extra += extra.length
    counts.corrupt += corrupt.length
    for (const key of extra) name({ store, key, is: 'extra', members: [] })
    progress.add(read)
  }
  progress.end()
  return { store, ...counts }
}

/** Compares two sides by content and changes nothing. What is written meanwhile may show as a difference. */
export const compareEnds = async (given: Ends, options: DiffOptions): Promise<Differences> => {
  const ends = onlyLookedAt(given)
  const differences: Difference[] = []
  const stores: Differences['stores'] = []
  const name: Name = (difference) => {
    if (differences.length < options.limit) differences.push(difference)
  }
  for (const store of options.stores) stores.push(await compareStore(ends, store, options, name))
  return {
    version: 1,
    from: ends.source.name,
    to: ends.target.name,
    equal: stores.every(({ missing, different, extra }) => missing + different + extra === 0),
    stores,
    differences,
  }
}

export const differencesText = ({ from, to, equal, stores, differences }: Differences): Line[] => {
  const counts = table(
    ['store', from, to, 'missing', 'different', 'extra', 'unreadable'].map((heading) => ({ heading })),
    stores.map((row) => [
      row.store,
      ...[row.from_records, row.to_records, row.missing, row.different, row.extra, row.corrupt].map(String),
    ]),
  )
  const named = differences.map(({ store, key, is, members }) =>
    [`${store} ${key}: ${is}`, ...(members.length > 0 ? [`in ${members.join(', ')}`] : [])].join(' '),
  )
  return [...counts, ...named, equal ? `${from} and ${to} are equal.` : `${from} and ${to} differ.`]
}
