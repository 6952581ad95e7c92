import type { Clock, InboxCounts, InboxStore, StoreName } from '@nexus/core'
import type { JournalState, StorageRow } from '@nexus/router'
import { createReading, type Reading } from './reading.ts'

/** How the stores are, as whoever gives them can tell. */
export interface Storage {
  /** Each store with its backend and health, asked now. */
  map(): Promise<StorageRow[]>
  /** What an outage wrote that is not applied yet; null where there is nothing. */
  journal(): Promise<JournalState | null>
  /** The stores that go on in the journal while their backend is down. */
  readonly fallsBack: readonly StoreName[]
}

/** Stores of which nothing more is known. */
export const plainStorage: Storage = { map: async () => [], journal: async () => null, fallsBack: [] }

interface InboxState {
  counts: InboxCounts
  oldestDue: Date | null
}

/** What is asked of the stores for people and programs that only look. */
export interface StorageReadings {
  stores: Reading<StorageRow[]>
  /** In a list of one or none: that there is no journal is an answer too. */
  journal: Reading<JournalState[]>
  inbox: Reading<InboxState>
}

export interface StorageReadingsOptions {
  storage: Storage
  inbox: Pick<InboxStore, 'counts' | 'oldestDue'>
  clock: Pick<Clock, 'monotonic'>
}

/** A health is known within a second, or not at all. */
const healthWaitMs = 1_500
const countWaitMs = 500

export const createStorageReadings = ({ storage, inbox, clock }: StorageReadingsOptions): StorageReadings => ({
  stores: createReading({ clock, waitMs: healthWaitMs, read: storage.map }),
  journal: createReading({
    clock,
    waitMs: countWaitMs,
    read: async () => [await storage.journal()].filter((state) => state !== null),
  }),
  inbox: createReading({
    clock,
    waitMs: countWaitMs,
    read: async () => ({ counts: await inbox.counts(), oldestDue: await inbox.oldestDue() }),
  }),
})
