import type { Backend, Config, Count, JournalFiles } from '@nexus/core'
import { isStoreError } from '@nexus/core'
import { type JournalState, journalState, type StorageRow, storageMap, storageMapText } from '@nexus/router'

/** What `status --json` prints; `version` grows when a member changes its meaning. */
export interface Status {
  version: 1
  root: string
  stores: StorageRow[]
  /** Null while the store cannot be reached. */
  inbox: Record<string, Count> | null
  workflows: Record<string, Count> | null
  /** What an outage wrote that is not applied yet; null where there is nothing. */
  journal: JournalState | null
}

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
