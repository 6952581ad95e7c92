import type { JournalFiles, Logger, Operations } from '@nexus/core'
import { createJournal } from './journal.ts'
import { decodeRecord, type JournalRecord } from './journal-record.ts'
import { createReplay, type Replayed } from './replay.ts'

/** One slot of an outage as it lies there. */
interface JournalSlot {
  slot: number
  bytes: number
  /** Null: it cannot be read. */
  record: JournalRecord | null
}

/** What one outage left. */
export interface OutageSummary {
  generation: number
  operations: number
  unreadable: number
  bytes: number
  /** Of its first operation, in epoch milliseconds. */
  since: number | null
  /** How it ended; null: it is to be applied yet. */
  end: { at: number; replayed: number; conflicts: number } | null
}

/** The slots of an outage in order, one at a time; nothing is changed by looking. */
export async function* readOutage(files: JournalFiles, generation: number): AsyncGenerator<JournalSlot> {
  for (const slot of await files.slots(generation)) {
    const bytes = await files.read(generation, slot)
    if (bytes) yield { slot, bytes: bytes.length, record: decodeRecord(bytes) }
  }
}

const summarize = async (files: JournalFiles, generation: number): Promise<OutageSummary> => {
  const found: OutageSummary = { generation, operations: 0, unreadable: 0, bytes: 0, since: null, end: null }
  for await (const { bytes, record } of readOutage(files, generation)) {
    found.bytes += bytes
    if (record === null) found.unreadable += 1
    if (record?.kind === 'end') {
      const { at, replayed, conflicts } = record
      found.end = { at, replayed, conflicts }
    }
    if (record?.kind !== 'operation') continue
    found.operations += 1
    found.since ??= record.journaled.at
  }
  return found
}

/** What the outages of a root left, the latest first: the one that is not applied yet, and a few that are over. */
export const listOutages = async (files: JournalFiles): Promise<OutageSummary[]> => {
  const found: OutageSummary[] = []
  for (const generation of await files.generations()) found.unshift(await summarize(files, generation))
  return found
}

interface ReplayJournalOptions {
  files: JournalFiles
  operations: Operations
  logger: Logger
  clock: { now(): number }
}

/** Applies what an outage left, as hosts do by themselves, beside whichever does it too. [C-ROUTE-12] */
export const replayJournal = async ({ files, operations, logger, clock }: ReplayJournalOptions): Promise<Replayed> => {
  const journal = createJournal(files)
  const replay = createReplay({ journal, operations: async () => operations, logger, clock, isStopped: () => false })
  const { replayed, conflicts } = (await replay()) ?? { replayed: 0, conflicts: 0 }
  return { replayed, conflicts }
}
