import type { Stats } from 'node:fs'
import type { Clock, StoreError } from '@nexus/core'
import type { Reading } from '../reading.ts'
import {
  type DelayedName,
  type EndedName,
  type EndingName,
  type HeldName,
  handMadeId,
  type InboxLayout,
  inboxNames,
  type PendingName,
} from './inbox-layout.ts'
import { type Records, type TaskRecord, unlessCorrupt } from './record.ts'

export type EndedStatus = 'done' | 'failed'

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

export interface EndedPlace extends EndedName {
  status: EndedStatus
  month: string
}

/** What lies where. A listing is one moment of each folder; what moved meanwhile is found by the rename that fails. */
export interface Places {
  projects(): Promise<string[]>
  /** Names of all pending files of a project, ours and others'. */
  pendingFiles(project: string): Promise<string[]>
  pending(project: string): Promise<PendingPlace[]>
  pendingAt(project: string, file: string): Promise<PendingPlace | null>
  staged(): Promise<PendingName[]>
  delayed(): Promise<DelayedName[]>
  processing(): Promise<HeldName[]>
  ending(): Promise<EndingName[]>
  /** Newest first. */
  months(status: EndedStatus): Promise<string[]>
  endedIn(status: EndedStatus, month: string): Promise<EndedPlace[]>
  /** The records of what failed under that epoch, whether or not the task itself is still beside them. */
  failedRecords(id: string, epoch: number): Promise<EndedPlace[]>
}

export interface PlacesParts {
  layout: InboxLayout
  reading: Reading
  records: Records
  clock: Clock
}

const sidecarReads = 32

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

/** A file that somebody else put there is a task with every default. [C-INBOX-18] */
const handMadeRecord = (project: string, file: string, stat: Stats, now: number): TaskRecord => {
  const createdAt = Math.floor(stat.birthtimeMs > 0 ? stat.birthtimeMs : stat.mtimeMs)
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

export const createPlaces = ({ layout, reading, records, clock }: PlacesParts): Places => {
  const listed = async <T>(folder: string, parse: (name: string) => T | null): Promise<T[]> =>
    known((await reading.files(folder)).map(parse))

  const handMade = async (project: string, file: string): Promise<PendingPlace | null> => {
    const path = layout.task(project, file)
    const stat = await reading.stat(path)
    if (!stat) return null
    const record = handMadeRecord(project, file, stat, clock.now())
    return { id: record.id, version: 0, project, file, path, handMade: stat, record, corrupt: null }
  }

  /** Ours only where our record says so, of this project too: a copied or moved file is a task of its own. */
  const pendingAt = async (project: string, file: string): Promise<PendingPlace | null> => {
    const name = inboxNames.parsePending(file)
    if (!name) return handMade(project, file)
    let corrupt: StoreError | null = null
    const record = await unlessCorrupt(
      () => records.load(name),
      (error) => {
        corrupt = error
      },
    )
    if (corrupt === null && record?.project !== project) return handMade(project, file)
    return { ...name, project, file, path: layout.task(project, file), handMade: null, record, corrupt }
  }

  const pendingFiles = async (project: string): Promise<string[]> =>
    (await reading.files(layout.project(project))).filter(isTaskFile)

  const months = async (status: EndedStatus): Promise<string[]> =>
    (await reading.folders(layout.ended(status))).sort().reverse()

  return {
    projects: () => reading.folders(layout.inbox),
    pendingFiles,
    async pending(project) {
      return known(await mapSome(await pendingFiles(project), sidecarReads, (file) => pendingAt(project, file)))
    },
    pendingAt,
    staged: () => listed(layout.staged, inboxNames.parseStaged),
    delayed: () => listed(layout.delayed, inboxNames.parseDelayed),
    processing: () => listed(layout.processing, inboxNames.parseHeld),
    ending: () => listed(layout.ending, inboxNames.parseEnding),
    months,
    async failedRecords(id, epoch) {
      const found: EndedPlace[] = []
      for (const month of await months('failed'))
        for (const name of await listed(layout.endedMonth('failed', month), inboxNames.parseEndedRecord))
          if (name.id === id && name.epoch === epoch) found.push({ ...name, status: 'failed', month })
      return found
    },
    async endedIn(status, month) {
      const names = await listed(layout.endedMonth(status, month), inboxNames.parseEnded)
      return names.map((name) => ({ ...name, status, month }))
    },
  }
}
