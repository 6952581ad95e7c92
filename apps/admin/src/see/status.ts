import type { Backend, Config, Count, JournalFiles } from '@nexus/core'
import { isStoreError, storeNames } from '@nexus/core'
import { type JournalState, journalState, storageMap, storageMapText } from '@nexus/router'
import { z } from 'zod'
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
  workflows: z.record(z.string(), CountShape).nullable(),
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

/** Asks every store where it is and how much it holds. */
export const readStatus = async ({ config, root, stores, journal }: StatusSources): Promise<Status> => ({
  version: 1,
  root,
  stores: await storageMap(config, stores),
  inbox: await whileReachable(stores.inbox.counts().then((counts) => ({ ...counts }))),
  workflows: await whileReachable(stores.workflows.counts()),
  journal: journal && (await journalState(journal)),
})

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

export const statusText = (status: Status): string =>
  [
    storageMapText(status.stores),
    '',
    `root       ${status.root}`,
    `inbox      ${countsText(status.inbox)}`,
    `workflows  ${countsText(status.workflows)}`,
    ...(status.journal ? [journalText(status.journal)] : []),
  ].join('\n')
