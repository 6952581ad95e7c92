import type { Stats } from 'node:fs'
import type { Clock, StoreError } from '@nexus/core'
import type { Listing } from '../listing.ts'
import type { Reading } from '../reading.ts'
import {
  type EndedPlace,
  type EndedStatus,
  type EndingName,
  type HeldName,
  handMadeId,
  type InboxLayout,
  inboxNames,
  type PendingName,
} from './inbox-layout.ts'
import { type Records, type TaskRecord, unlessCorrupt } from './record.ts'

/** A task in its documented place. */
export interface PendingPlace {
  id: string
  version: number
  project: string
  file: string
  path: string
  /** How the file stood when it was listed, where a person or another program made it; null where we did. */
  handMade: Stats | null
  /** Null where it cannot be read. */
  record: TaskRecord | null
  corrupt: StoreError | null
}

/** What lies where. A listing is one moment of each folder; what moved meanwhile is found by the rename that fails. */
export interface Places {
  projects(): Promise<string[]>
  isTaskFile(name: string): boolean
  /** Ours only where our record says so, of this project too: a copied or moved file is a task of its own. */
  pendingAt(project: string, file: string): Promise<PendingPlace | null>
  /** The same of a file that is known not to be ours. */
  handMadeAt(project: string, file: string): Promise<PendingPlace | null>
  staged(): Promise<PendingName[]>
  processing(): Promise<HeldName[]>
  ending(): Promise<EndingName[]>
  /** Newest first. */
  months(status: EndedStatus): Promise<string[]>
  /** What ended in a month, some hundred at a time. Ends early where `take` answers false. */
  endedIn(status: EndedStatus, month: string, take: (places: EndedPlace[]) => Promise<unknown> | unknown): Promise<void>
  /** The records of what ended under that id, whether or not the task itself is still there. */
  endedRecords(id: string): Promise<EndedPlace[]>
}

export interface PlacesParts {
  layout: InboxLayout
  reading: Reading
  listing: Listing
  records: Records
  clock: Clock
}

/** `work` on each, a bounded number at a time, answers in order. Where one fails nothing is under way any more. */
export const mapSome = async <T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<R[]> => {
  const answers: R[] = []
  for (let at = 0; at < items.length; at += most) {
    const settled = await Promise.allSettled(items.slice(at, at + most).map(work))
    for (const answer of settled) {
      if (answer.status === 'rejected') throw answer.reason
      answers.push(answer.value)
    }
  }
  return answers
}

const isTaskFile = (name: string): boolean => name.endsWith('.md') && !name.startsWith('.')

const known = <T>(found: (T | null)[]): T[] => found.filter((item) => item !== null)

/** Since when such a file is there, in epoch milliseconds. */
export const handMadeSince = ({ birthtimeMs, mtimeMs }: Pick<Stats, 'birthtimeMs' | 'mtimeMs'>): number =>
  Math.floor(birthtimeMs > 0 ? birthtimeMs : mtimeMs)

/** A file that somebody else put there is a task with every default. [C-INBOX-18] */
const handMadeRecord = (project: string, file: string, stat: Stats, now: number): TaskRecord => {
  const createdAt = handMadeSince(stat)
  return {
    id: handMadeId(project, file, stat),
    project,
    workspace: '',
    filename: file,
    priority: 0,
    runAt: Math.min(createdAt, now),
    attempts: 0,
    recoveries: 0,
    maxAttempts: 3,
    idempotencyKey: null,
    issueNumber: null,
    error: null,
    cancelRequested: false,
    createdAt,
    processedAt: null,
  }
}

export const createPlaces = ({ layout, reading, listing, records, clock }: PlacesParts): Places => {
  const listed = async <T>(folder: string, parse: (name: string) => T | null): Promise<T[]> =>
    known((await reading.files(folder)).map(parse))

  const handMadeAt = async (project: string, file: string): Promise<PendingPlace | null> => {
    const path = layout.task(project, file)
    const stat = await reading.stat(path)
    if (!stat) return null
    const record = handMadeRecord(project, file, stat, clock.now())
    return { id: record.id, version: 0, project, file, path, handMade: stat, record, corrupt: null }
  }

  const pendingAt = async (project: string, file: string): Promise<PendingPlace | null> => {
    const name = inboxNames.parsePending(file)?.task
    if (!name) return handMadeAt(project, file)
    let corrupt: StoreError | null = null
    const record = await unlessCorrupt(
      () => records.load(name),
      (error) => {
        corrupt = error
      },
    )
    if (corrupt === null && record?.project !== project) return handMadeAt(project, file)
    return { ...name, project, file, path: layout.task(project, file), handMade: null, record, corrupt }
  }

  return {
    projects: () => reading.folders(layout.inbox),
    isTaskFile,
    pendingAt,
    handMadeAt,
    staged: () => listed(layout.staged, inboxNames.parseStaged),
    processing: () => listed(layout.processing, inboxNames.parseHeld),
    ending: () => listed(layout.ending, inboxNames.parseEnding),
    months: async (status) => (await reading.folders(layout.ended(status))).sort().reverse(),
    endedIn: (status, month, take) =>
      listing.names(layout.endedMonth(status, month), (files) =>
        take(known(files.map(inboxNames.parseEnded)).map((name) => ({ ...name, status, month }))),
      ),
    async endedRecords(id) {
      const found = await listed(layout.endedRecordsWith(id), inboxNames.parseEndedRecord)
      return found.filter((place) => place.id === id)
    },
  }
}
