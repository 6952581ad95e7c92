import type { Backend, Config, Count, JournalFiles } from '@nexus/core'
import { eachItem, isStoreError, storeNames } from '@nexus/core'
import {
  fallbackStores,
  type JournalState,
  journalState,
  type StorageRow,
  storageMap,
  storageMapText,
} from '@nexus/router'
import { z } from 'zod'
import { linesOf } from '../cli/line.ts'
import { CountShape, envelope } from '../cli/output.ts'

const HealthShape = z.discriminatedUnion('status', [
  z.object({ status: z.literal('ok') }),
  z.object({ status: z.literal('down'), reason: z.string(), since: z.number().describe('epoch milliseconds') }),
])

/** What `status --json` prints. */
export const Status = envelope({
  root: z.string(),
  stores: z.array(
    z.object({
      store: z.enum(storeNames),
      backend: z.string(),
      decidedBy: z.string().describe('the variable that decided, or default'),
      health: HealthShape,
    }),
  ),
  inbox: z.record(z.string(), CountShape).nullable().describe('null while the store cannot be reached'),
  oldest_due: z.iso
    .datetime()
    .nullable()
    .describe('since when the pending task has been due that has been due longest; null where none is'),
  workflows: z.record(z.string(), CountShape).nullable(),
  conflicts: z.int().nullable().describe('what an outage wrote and others had changed; null where that is not kept'),
  fallback: z
    .object({ stores: z.array(z.enum(storeNames)), since: z.iso.datetime() })
    .nullable()
    .describe('stores that hosts answer from the journal, and since when'),
  journal: z
    .object({
      operations: z.int(),
      bytes: z.int(),
      since: z.number().nullable().describe('of its first operation, in epoch milliseconds'),
      place: z.string(),
      isFull: z.boolean(),
    })
    .nullable()
    .describe('what an outage wrote that is not applied yet; null where there is nothing'),
})
export type Status = z.output<typeof Status>

interface StatusSources {
  config: Config
  root: string
  stores: Backend
  journal: JournalFiles | null
}

const whileReachable = async <T>(answer: Promise<T>): Promise<T | null> => {
  try {
    return await answer
  } catch (error) {
    if (isStoreError(error, 'unavailable')) return null
    throw error
  }
}

const conflictsIn = async ({ operations }: Backend): Promise<number | null> => {
  if (!operations) return null
  let conflicts = 0
  for await (const _ of eachItem((page) => operations.conflicts(page))) conflicts += 1
  return conflicts
}

/** Since the journal's first operation, or where it has none yet, since this program first saw it. */
const fallbackOf = (rows: readonly StorageRow[], journal: JournalState | null): Status['fallback'] => {
  const down = rows.flatMap(({ store, health }) =>
    health.status === 'down' && fallbackStores.includes(store) ? [{ store, since: health.since }] : [],
  )
  const [first] = down
  if (!first) return null
  return { stores: down.map(({ store }) => store), since: new Date(journal?.since ?? first.since).toISOString() }
}

/** Asks every store where it is and how much it holds. */
export const readStatus = async ({ config, root, stores, journal: files }: StatusSources): Promise<Status> => {
  const journal = files && (await journalState(files))
  const rows = await storageMap(config, stores)
  const oldest = await whileReachable(stores.inbox.oldestDue())
  return {
    version: 1,
    root,
    stores: rows,
    inbox: await whileReachable(stores.inbox.counts().then((counts) => ({ ...counts }))),
    oldest_due: oldest?.toISOString() ?? null,
    workflows: await whileReachable(stores.workflows.counts()),
    conflicts: await whileReachable(conflictsIn(stores)),
    fallback: fallbackOf(rows, journal),
    journal,
  }
}

export const isDegraded = ({ stores, journal }: Status): boolean =>
  journal !== null || stores.some(({ health }) => health.status !== 'ok')

const countText = (count: Count): string => (typeof count === 'number' ? String(count) : `${count.atLeast}+`)

const countsText = (counts: Record<string, Count> | null): string => {
  if (!counts) return 'not reachable'
  const parts = Object.entries(counts).map(([state, count]) => `${state} ${countText(count)}`)
  return parts.length > 0 ? parts.join(', ') : 'none'
}

const journalText = ({ operations, since, place }: JournalState): string => {
  const from = since === null ? '' : ` since ${new Date(since).toISOString()}`
  return `journal    ${operations} operations${from}, to be applied by the host when the database is back: ${place}`
}

const fallbackText = ({ stores, since }: NonNullable<Status['fallback']>): string =>
  `hosts answer ${stores.join(' and ')} from the journal since ${since}`

export const statusText = (status: Status): string[] => [
  ...linesOf(storageMapText(status.stores)),
  '',
  `root       ${status.root}`,
  `inbox      ${countsText(status.inbox)}`,
  ...(status.oldest_due === null ? [] : [`oldest     due since ${status.oldest_due}`]),
  `workflows  ${countsText(status.workflows)}`,
  ...(status.conflicts ? [`conflicts  ${status.conflicts}, to be decided: nexus-admin journal conflicts`] : []),
  ...(status.fallback ? [`fallback   ${fallbackText(status.fallback)}`] : []),
  ...(status.journal ? [journalText(status.journal)] : []),
]
