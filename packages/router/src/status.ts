import type { Backend, Config, Health, JournalFiles, StoreName } from '@nexus/core'
import { storeNames } from '@nexus/core'
import { createJournal, journalLimits } from './journal.ts'

/** One row of the storage map. */
export interface StorageRow {
  store: StoreName
  backend: string
  /** The variable that decided, or `default`. */
  decidedBy: string
  health: Health
}

/** Where each store lives, why, and how it is. */
export const storageMap = (config: Config, backend: Pick<Backend, 'health'>): Promise<StorageRow[]> =>
  Promise.all(
    storeNames.map(async (store) => ({ store, ...config.routes[store], health: await backend.health(store) })),
  )

/** What an outage has written to the journal of a root so far. */
export interface JournalState {
  operations: number
  bytes: number
  /** Of its first operation, in epoch milliseconds; null where that cannot be read. */
  since: number | null
  place: string
  /** It takes nothing more. */
  isFull: boolean
}

/** Looks again and again, and changes nothing: each look reads what came since the last. Null where everything is applied. */
export const createJournalReader = (files: JournalFiles): (() => Promise<JournalState | null>) => {
  const journal = createJournal(files)
  const { place } = files
  return async () => {
    const view = await journal.view()
    if (!view) return null
    const [operations, bytes] = [view.next - 1, view.bytes]
    const isFull = view.next > journalLimits.operations || bytes > journalLimits.bytes
    return { operations, bytes, since: view.since, place, isFull }
  }
}

/** One look. */
export const journalState = (files: JournalFiles): Promise<JournalState | null> => createJournalReader(files)()

const condition = (health: Health): string =>
  health.status === 'ok' ? 'ok' : `down since ${new Date(health.since).toISOString()}: ${health.reason}`

/** The storage map as a person reads it: a heading and five lines. */
export const storageMapText = (rows: readonly StorageRow[]): string => {
  const lines = [
    ['store', 'backend', 'decided by', 'health'],
    ...rows.map(({ store, backend, decidedBy, health }) => [store, backend, decidedBy, condition(health)]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
