import { join } from 'node:path'
import {
  type CallOptions,
  type Completion,
  type CompletionStore,
  type JsonValue,
  type Page,
  type PageRequest,
  pageLimit,
  readCursor,
} from '@nexus/core'
import { z } from 'zod'
import { guarded, ifPossible } from '../fs-errors.ts'
import { isVisibleName, summaryFile } from '../layout.ts'
import { look } from '../look.ts'
import { createAtHome } from '../moved.ts'
import { collectPage, inSlices, newestFirst, readPage } from '../paging.ts'
import { createSlices } from '../slices.ts'
import type { FsTools } from '../tools.ts'
import type { Drops } from './drops.ts'
import { createLatest, type LatestCandidate } from './latest.ts'
import { createMailbox } from './mailbox.ts'
import { latestOf, type Records, type StoredRecord, tieOf } from './record.ts'
import type { Seen } from './seen.ts'

const Cursor = z.tuple([z.number(), z.string()])

const pageOf = (request: PageRequest, records: AsyncIterable<StoredRecord>): Promise<Page<Completion>> => {
  const rows = async function* () {
    for await (const { seq, found, document } of records) {
      const key: [number, string] = [seq, tieOf({ seq, path: document.path })]
      yield { key, found }
    }
  }
  const after: [number, string] | null = readCursor(request, Cursor)
  return collectPage<[number, string] & JsonValue[], Completion>(request, { after, compare: newestFirst, rows: rows() })
}

/** What a page of the latest shows of one issue: its latest record, and what cannot be read. */
const shownOf = (records: readonly StoredRecord[]): StoredRecord[] => {
  const latest = latestOf(records)
  return [...records.filter(({ found }) => !found.ok), ...(latest ? [latest] : [])]
}

type Owner = string | null | undefined

/** What lies in the projects about one issue; what it costs does not grow with the other issues. */
const createAbout = ({ layout, reading }: FsTools) => {
  const summaryOf = (project: string, issueNumber: string): string | null =>
    isVisibleName(summaryFile(issueNumber)) ? layout.summary(project, issueNumber) : null

  const isAbout = (project: string, issueNumber: string): boolean => {
    const summary = summaryOf(project, issueNumber)
    return look.isThere(layout.issue(project, issueNumber)) || (summary !== null && look.isThere(summary))
  }

  const projectsOf = async (project: Owner): Promise<string[]> => {
    if (project === null) return []
    return (project === undefined ? await reading.folders(layout.projects) : [project]).filter(isVisibleName)
  }

  return {
    summaryOf,
    projectsOf,
    /** The projects that have a record or a summary of the issue. */
    async holders(issueNumber: string, owner: Owner, signal: AbortSignal | undefined): Promise<string[]> {
      const found: string[] = []
      const slices = createSlices(signal)
      for (const project of await projectsOf(owner)) {
        if (slices.isOver()) await slices.next()
        if (await guarded(layout.project(project), async () => isAbout(project, issueNumber))) found.push(project)
      }
      return found
    },
  }
}

interface ReadParts {
  records: Records
  seen: Seen
  drops: Drops
  /** For the drops that are found in passing. */
  save: CompletionStore['save']
}

/** Reading comes after importing: what agents left is a completion like any other. */
const createCollect = (tools: FsTools, { seen, drops, save: saveHere }: ReadParts) => {
  const { layout, logger, marks, isClosed } = tools
  // A drop whose save is refused stays news to where completions went.
  const save = createAtHome(marks, 'completions', isClosed)(saveHere)
  const mailbox = createMailbox(tools, { seen, drops })
  const about = createAbout(tools)
  let isRefused = false

  /** A drop that cannot be stored now stays where it is for the next look, and hides nothing that is stored. */
  const inPassing = async (work: () => Promise<unknown>): Promise<void> => {
    const isDone = await ifPossible(work)
    if (!isDone && !isRefused) logger.warn('Completion summaries cannot be imported for now', { root: layout.root })
    if (isDone && isRefused) logger.info('Completion summaries are imported again', { root: layout.root })
    isRefused = !isDone
  }

  return {
    all: (options: CallOptions | undefined) => inPassing(() => mailbox.collect({ save }, options)),
    /** Resolves to the projects that have something of the issue. */
    async ofIssue(issueNumber: string, owner: Owner, options: CallOptions | undefined): Promise<string[]> {
      const projects = await about.holders(issueNumber, owner, options?.signal)
      await inPassing(async () => {
        for (const project of projects) {
          const path = about.summaryOf(project, issueNumber)
          if (path !== null) await drops.import({ project, issueNumber, path }, { save }, options)
        }
      })
      return projects
    },
    projectsOf: about.projectsOf,
  }
}

export const createReads = (tools: FsTools, parts: ReadParts): Pick<CompletionStore, 'scan' | 'history'> => {
  const { records } = parts
  const { checkOpen } = tools
  const collect = createCollect(tools, parts)
  const latest = createLatest(tools)

  /** One that was deleted since leaves its place to the one before it. */
  const readLatest = async ({ project, folder, file, isLatest }: LatestCandidate) => {
    const record = await records.at(project, join(folder, file))
    if (record || !isLatest) return record?.found ?? null
    return latestOf(await records.inFolder(project, folder))?.found ?? null
  }

  const ofIssue = async function* (issueNumber: string, projects: readonly string[]) {
    yield* inSlices(projects, (project) => records.ofIssue(project, issueNumber))
  }

  return {
    async scan(filter = {}, options) {
      checkOpen(options)
      pageLimit(filter)
      const after = readCursor(filter, Cursor)
      const { issueNumber, project } = filter
      if (issueNumber !== undefined) {
        const projects = await collect.ofIssue(issueNumber, project, options)
        const shown = async function* () {
          for await (const found of ofIssue(issueNumber, projects)) yield* shownOf(found)
        }
        return pageOf(filter, shown())
      }
      // What is imported now is newer than all that a later page can show.
      if (after === null) await collect.all(options)
      const candidates = async function* () {
        for (const name of await collect.projectsOf(project)) yield latest(name, options?.signal)
      }
      return readPage(filter, { after, compare: newestFirst, candidates, read: readLatest }, options?.signal)
    },
    async history(issueNumber, filter = {}, options) {
      checkOpen(options)
      pageLimit(filter)
      readCursor(filter, Cursor)
      const projects = await collect.ofIssue(issueNumber, filter.project, options)
      const all = async function* () {
        for await (const found of ofIssue(issueNumber, projects)) yield* found
      }
      return pageOf(filter, all())
    },
  }
}
