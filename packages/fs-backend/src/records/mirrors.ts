import { join } from 'node:path'
import { type CompletionRecord, isJsonObject, maxReportBytes, parseJson } from '@nexus/core'
import type { NewFile } from '../bulk.ts'
import type { Mirror } from '../completions/mirror.ts'
import { interpret, latestOf, orderOf } from '../completions/record.ts'
import { type Seen, sightingOf } from '../completions/seen.ts'
import { documentOf, encodeJson } from '../documents.ts'
import { each } from '../each.ts'
import type { OpenFolder } from '../folder.ts'
import { isVisibleName, recordName, shortHash, summaryFile } from '../layout.ts'
import { look } from '../look.ts'
import { createSlices } from '../slices.ts'
import { pendingRecords } from '../sweep.ts'
import type { FsTools } from '../tools.ts'

export interface Issue {
  project: string
  issueNumber: string
  /** What was just written of it, by the names of its files. */
  written: Map<string, CompletionRecord>
}

/** The coarsest clock of any file system in use counts in two seconds, and the sighting of a mirror names its time. */
const coarsestMs = 2000

const together = 8

/** The payload of its latest record, with the folder of all issues held open; only what was not just written is read. */
const latestIn = (issues: OpenFolder, folder: string, { project, written }: Issue): string | null => {
  const records = look.inside(issues, folder, (inside) =>
    look.names(inside).flatMap((file) => {
      const known = written.get(file)
      if (known) return [{ seq: orderOf(known.seq, known.createdAt), found: { ok: true }, data: known.data }]
      const read = recordName.json(file) === null ? null : look.read(inside, file)
      if (!read) return []
      const stored = interpret(project, documentOf(join(folder, file), read))
      return [{ seq: stored.seq, found: stored.found, data: stored.written?.data ?? '' }]
    }),
  )
  return latestOf(records ?? [])?.data ?? null
}

const revisionOf = ({ project, issueNumber }: Issue): string => shortHash(`mirror/${project}/${issueNumber}`)

/** The payloads of the latest records. */
const createLatest = ({ layout, reading }: FsTools) => {
  const latestOfAll = async (issues: readonly Issue[]): Promise<Map<Issue, string>> => {
    const found = new Map<Issue, string>()
    const slices = createSlices()
    for (const project of new Set(issues.map((issue) => issue.project)))
      await reading.within(layout.issues(project), undefined, async (folder) => {
        for (const issue of issues.filter((one) => one.project === project)) {
          if (slices.isOver()) await slices.next()
          const latest = latestIn(folder, layout.issue(project, issue.issueNumber), issue)
          if (latest !== null) found.set(issue, latest)
        }
      })
    return found
  }
  return latestOfAll
}

const createDiffering = (tools: FsTools, seen: Seen) => {
  const { layout, reading } = tools
  /** Those whose summary says something else than the latest, or is news itself. */
  const differing = async (issues: readonly Issue[], latest: ReadonlyMap<Issue, string>): Promise<Issue[]> => {
    const pending = issues.length > 0 ? await pendingRecords(tools) : new Set()
    const isKept = (folder: OpenFolder, issue: Issue): boolean => {
      const file = look.read(folder, summaryFile(issue.issueNumber), maxReportBytes)
      if (!file || pending.has(revisionOf(issue))) return false
      const present = documentOf(folder.path, file).parsed
      const payload = parseJson(latest.get(issue) ?? '')
      const isSame = present.ok && payload.ok && JSON.stringify(present.value) === JSON.stringify(payload.value)
      const { project, issueNumber } = issue
      return isSame && seen.look(folder, { project, issueNumber, ...file }) !== null
    }
    const found: Issue[] = []
    const slices = createSlices()
    for (const project of new Set(issues.map((issue) => issue.project))) {
      const inIt = issues.filter((issue) => issue.project === project)
      await reading.within(layout.completions(project), undefined, async (folder) => {
        for (const issue of inIt) {
          if (slices.isOver()) await slices.next()
          if (!isKept(folder, issue)) found.push(issue)
        }
      })
    }
    return found
  }
  return differing
}

/**
 * The documented summaries of many issues, as saves would leave them. Where there is none yet it is made beside the
 * others; what is there may be an agent's, and is looked at one by one.
 */
export const createMirrors = (tools: FsTools, seen: Seen, mirror: Mirror) => {
  const { layout, atomic, clock } = tools
  const latestOfAll = createLatest(tools)
  const differing = createDiffering(tools, seen)

  const isUntouched = (issue: Issue): boolean =>
    !look.isThere(layout.summary(issue.project, issue.issueNumber)) &&
    !look.isThere(layout.revisions(revisionOf(issue)))

  const summaryOf = ({ project, issueNumber }: Issue, data: string, modified: Date): NewFile[] => {
    const payload = parseJson(data)
    if (!payload.ok || !isJsonObject(payload.value)) return []
    return [{ path: layout.summary(project, issueNumber), bytes: Buffer.from(encodeJson(payload.value)), modified }]
  }

  return async (all: readonly Issue[]): Promise<void> => {
    const issues = all.filter(({ issueNumber }) => isVisibleName(summaryFile(issueNumber)))
    const untouched = issues.filter(isUntouched)
    const modified = new Date(Math.floor(clock.now() / coarsestMs) * coarsestMs)
    const summaries = new Map<string, Issue>()
    const [files, sightings]: [NewFile[], NewFile[]] = [[], []]
    const latest = await latestOfAll(issues)
    for (const issue of untouched)
      for (const file of summaryOf(issue, latest.get(issue) ?? '', modified)) {
        summaries.set(file.path, issue)
        files.push(file)
        const name = sightingOf({ mtimeMs: modified.getTime(), bytes: Buffer.from(file.bytes) })
        sightings.push({
          path: join(layout.seen(issue.project, issue.issueNumber), `${name}.mirror`),
          bytes: '',
          modified,
        })
      }
    // Known before anybody can read them, so that no process takes one for a report.
    await atomic.bulk.create(sightings)
    const taken = await atomic.bulk.create(files)
    const fresh = new Set(untouched)
    const others = await differing(
      issues.filter((issue) => !fresh.has(issue)),
      latest,
    )
    const late = [...taken].flatMap((path) => summaries.get(path) ?? [])
    await each([...others, ...late], together, ({ project, issueNumber }) => mirror.refresh(project, issueNumber))
  }
}
