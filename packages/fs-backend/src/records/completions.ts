import { basename, join } from 'node:path'
import {
  type CompletionRecord,
  type CompletionStore,
  compactJson,
  dedupKey,
  projectDedupKey,
  type Reading,
  unfit,
} from '@nexus/core'
import { createDedupKeys } from '../completions/dedup-keys.ts'
import type { Drops } from '../completions/drops.ts'
import type { Mirror } from '../completions/mirror.ts'
import {
  createRecords,
  encodeRecord,
  type Identity,
  interpret,
  recordOf,
  type StoredRecord,
} from '../completions/record.ts'
import type { Seen } from '../completions/seen.ts'
import { createSequence } from '../completions/sequence.ts'
import { documentOf } from '../documents.ts'
import { each } from '../each.ts'
import type { OpenFolder } from '../folder.ts'
import { isVisibleName, recordName } from '../layout.ts'
import { look } from '../look.ts'
import { inSlices } from '../paging.ts'
import { createSlices } from '../slices.ts'
import type { FsTools } from '../tools.ts'
import { isSameRecord } from './fields.ts'
import { createMirrors, type Issue } from './mirrors.ts'
import type { Names } from './names.ts'
import { fromFolder, readShelves, type Shelves, type Spot } from './page.ts'
import type { RecordsOf } from './store-records.ts'
import { createTakeIn } from './unseen-drops.ts'
import { createWriteAll, type Writing } from './writing.ts'

export interface CompletionRecordParts {
  seen: Seen
  drops: Drops
  mirror: Mirror
  completions: CompletionStore
}

const movedOf = ({ found, written }: StoredRecord): Reading<CompletionRecord> => {
  if (!found.ok) return found
  const { rev: _, payload: __, ...fields } = found.item
  return { ok: true, item: { ...fields, seq: written?.seq ?? null, data: compactJson(written?.data ?? '') } }
}

const identityOf = (record: CompletionRecord): Identity => {
  const { project, issueNumber, agentType, status } = record
  if (project === null)
    throw unfit(
      'completions',
      record,
      'it has no project, and files keep completions by project; assign it to one first',
    )
  if (!isVisibleName(project))
    throw unfit('completions', record, `its project ${JSON.stringify(project)} cannot be the name of a folder`)
  return { project, issueNumber, agentType, status }
}

/** Whether the key says by itself which project has it. */
const isOwnKey = (key: string, identity: Identity): boolean =>
  key === projectDedupKey(identity) && key !== dedupKey(identity)

/** Folders that are looked into at one time. */
const together = 256

const createShelves = ({ layout, reading }: FsTools, names: Names): Shelves<CompletionRecord> => {
  /** The records of these folders, in order. */
  const listed = async (issues: string, folders: readonly string[]): Promise<[folder: string, file: string][]> => {
    const slices = createSlices()
    return reading.within<[string, string][]>(issues, [], async (folder) => {
      const found: [string, string][] = []
      for (const issue of folders) {
        if (slices.isOver()) await slices.next()
        const files = look.inside(folder, join(issues, issue), look.names) ?? []
        for (const file of files.sort()) if (recordName.json(file) !== null) found.push([issue, file])
      }
      return found
    })
  }

  const inProject = async function* (project: string, [issue, last = '']: Spot): AsyncGenerator<Spot> {
    const issues = layout.issues(project)
    const list = async function* (folders: readonly string[]): AsyncGenerator<Spot> {
      for (const [folder, file] of await listed(issues, folders))
        if (folder !== issue || file > last) yield [project, folder, file]
    }
    let waiting: string[] = []
    for await (const folder of fromFolder(issue, (name) => names.folders(issues, name))) {
      waiting.push(folder)
      if (waiting.length < together) continue
      yield* list(waiting)
      waiting = []
    }
    yield* list(waiting)
  }

  const readIn = (issues: OpenFolder, project: string, inOne: readonly Spot[]): Reading<CompletionRecord>[] => {
    const path = join(issues.path, inOne[0]?.[1] ?? '')
    const read = (folder: OpenFolder) =>
      inOne.flatMap(([, , file = '']) => {
        const found = look.read(folder, file)
        return found ? [movedOf(interpret(project, documentOf(join(path, file), found)))] : []
      })
    return look.inside(issues, path, read) ?? []
  }

  return {
    async *spots(after) {
      for await (const project of fromFolder(after[0], (name) => names.folders(layout.projects, name)))
        if (isVisibleName(project)) yield* inProject(project, project === after[0] ? after.slice(1) : [])
    },
    async readAll(spots, signal) {
      const found: Reading<CompletionRecord>[] = []
      const slices = createSlices(signal)
      for (const [project, inIt] of groupsOf(spots, ([name = '']) => name))
        await reading.within(layout.issues(project), undefined, async (folder) => {
          for (const [, inOne] of groupsOf(inIt, ([, issue = '']) => issue)) {
            if (slices.isOver()) await slices.next()
            found.push(...readIn(folder, project, inOne))
          }
        })
      return found
    },
  }
}

const groupsOf = (spots: readonly Spot[], nameOf: (spot: Spot) => string): Map<string, Spot[]> => {
  const groups = new Map<string, Spot[]>()
  for (const spot of spots) {
    const group = groups.get(nameOf(spot))
    if (group) group.push(spot)
    else groups.set(nameOf(spot), [spot])
  }
  return groups
}

export const createCompletionRecords = (
  tools: FsTools,
  names: Names,
  { seen, drops, mirror, completions }: CompletionRecordParts,
): RecordsOf<'completions'> => {
  const { layout, quarantine, marks } = tools
  const records = createRecords(tools)
  const keys = createDedupKeys(tools, records)
  const sequence = createSequence(tools)
  const shelves = createShelves(tools, names)
  const takeIn = createTakeIn(tools, { seen, drops, completions })
  const refresh = createMirrors(tools, mirror)
  const writeAll = createWriteAll(tools)

  const find = async (key: string): Promise<Reading<CompletionRecord> | null> => {
    const identity = await keys.find(key)
    const stored = identity && isVisibleName(identity.project) ? await records.read(identity) : null
    const found = stored && movedOf(stored)
    return found?.ok && found.item.dedupKey === key ? found : null
  }

  const writingOf = (record: CompletionRecord, identity: Identity): Writing => {
    const key = record.dedupKey
    const wanted = { ...record, data: compactJson(record.data) }
    return {
      record: recordOf(identity),
      path: records.path(identity),
      bytes: encodeRecord({ ...record, project: identity.project }),
      modified: record.savedAt,
      also: isOwnKey(key, identity) ? [] : [layout.dedupKey(key)],
      async look() {
        const stored = await records.read(identity)
        if (!stored) return null
        const { document, found } = stored
        const moved = movedOf(stored)
        return {
          stat: document.stat,
          isSame: moved.ok && isSameRecord(moved.item, wanted),
          async keep() {
            if (!found.ok) await quarantine.keep(document.path, document.bytes, found.corrupt.reason)
          },
        }
      },
    }
  }

  /** A record that had the key before gives it up: it would be found under it no more. */
  const takeKey = async (key: string, identity: Identity): Promise<void> => {
    const holder = await keys.find(key)
    if (holder && recordOf(holder) === recordOf(identity)) return
    const other = holder && isVisibleName(holder.project) ? await records.read(holder) : null
    if (other?.found.ok && other.found.item.dedupKey === key) await completions.delete(key)
    await keys.give(key, identity)
  }

  const issuesOf = (identities: ReadonlyMap<CompletionRecord, Identity>): Issue[] => {
    const issues = new Map<string, Issue>()
    for (const [record, identity] of identities) {
      const { project, issueNumber } = identity
      const name = JSON.stringify([project, issueNumber])
      const issue = issues.get(name) ?? { project, issueNumber, written: new Map() }
      issues.set(name, issue)
      issue.written.set(basename(records.path(identity)), record)
    }
    return [...issues.values()]
  }

  const writeRecords = async (given: readonly CompletionRecord[]): Promise<void> => {
    // Of two of one identity the later counts.
    const last = new Map(given.map((record) => [recordOf(identityOf(record)), record]))
    const identities = new Map([...last.values()].map((record) => [record, identityOf(record)]))
    const seqs = given.flatMap(({ seq }) => (seq === null ? [] : [seq]))
    if (seqs.length > 0) await sequence.raise(seqs.reduce((a, b) => Math.max(a, b)))
    const claimed = [...identities].filter(([{ dedupKey: key }, identity]) => {
      const isKnown = look.isThere(layout.dedupKey(key)) || look.isThere(records.path(identity))
      return isKnown && !isOwnKey(key, identity)
    })
    for (const [record, identity] of claimed) await takeKey(record.dedupKey, identity)
    await writeAll([...identities].map(([record, identity]) => writingOf(record, identity)))
    await refresh(issuesOf(identities))
  }

  return {
    async read(page, options) {
      // What moved away is another backend's to take in.
      if (page.cursor === undefined && !marks.isMoved('completions')) await takeIn(options?.signal)
      return readShelves(shelves, page, options?.signal)
    },
    async find(wanted) {
      const found: CompletionRecord[] = []
      for await (const one of inSlices(wanted, find)) if (one.ok) found.push(one.item)
      return found
    },
    write: writeRecords,
    remove: (gone) => each(gone, 8, async (key) => void (await completions.delete(key))),
  }
}
