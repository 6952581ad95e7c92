import { basename } from 'node:path'
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
  recordOf,
  type Records as StoredRecords,
} from '../completions/record.ts'
import type { Seen } from '../completions/seen.ts'
import { createSequence } from '../completions/sequence.ts'
import { each } from '../each.ts'
import { isVisibleName } from '../layout.ts'
import { look } from '../look.ts'
import { inSlices } from '../paging.ts'
import type { FsTools } from '../tools.ts'
import { createCompletionShelves, movedOf } from './completion-shelves.ts'
import { isSameRecord } from './fields.ts'
import { createMirrors, type Issue } from './mirrors.ts'
import type { Names } from './names.ts'
import { readShelves } from './page.ts'
import type { RecordsOf } from './store-records.ts'
import { createTakeIn } from './unseen-drops.ts'
import { createWriteAll, type Writing } from './writing.ts'

export interface CompletionRecordParts {
  seen: Seen
  drops: Drops
  mirror: Mirror
  completions: CompletionStore
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

/** What was written of each issue, by the names of its files. */
const issuesOf = (
  records: Pick<StoredRecords, 'path'>,
  identities: ReadonlyMap<CompletionRecord, Identity>,
): Issue[] => {
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

/** How records are found by their keys, and how each is to lie. */
const createPlacing = (tools: FsTools, completions: CompletionStore) => {
  const { layout, quarantine } = tools
  const records = createRecords(tools)
  const keys = createDedupKeys(tools, records)

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

  const isKnown = (key: string, identity: Identity): boolean =>
    look.isThere(layout.dedupKey(key)) || look.isThere(records.path(identity))

  return {
    find,
    writingOf,
    takeKey,
    isKnown,
    issuesOf: (identities: ReadonlyMap<CompletionRecord, Identity>) => issuesOf(records, identities),
  }
}

export const createCompletionRecords = (
  tools: FsTools,
  names: Names,
  { seen, drops, mirror, completions }: CompletionRecordParts,
): RecordsOf<'completions'> => {
  const { marks } = tools
  const { find, writingOf, takeKey, issuesOf, isKnown } = createPlacing(tools, completions)
  const sequence = createSequence(tools)
  const shelves = createCompletionShelves(tools, names)
  const takeIn = createTakeIn(tools, { seen, drops, completions })
  const refresh = createMirrors(tools, seen, mirror)
  const writeAll = createWriteAll(tools)

  const writeRecords = async (given: readonly CompletionRecord[]): Promise<void> => {
    // Of two of one identity the later counts.
    const last = new Map(given.map((record) => [recordOf(identityOf(record)), record]))
    const identities = new Map([...last.values()].map((record) => [record, identityOf(record)]))
    const seqs = given.flatMap(({ seq }) => (seq === null ? [] : [seq]))
    if (seqs.length > 0) await sequence.raise(seqs.reduce((a, b) => Math.max(a, b)))
    const claimed = [...identities].filter(
      ([{ dedupKey: key }, identity]) => !isOwnKey(key, identity) && isKnown(key, identity),
    )
    await each(claimed, 8, ([record, identity]) => takeKey(record.dedupKey, identity))
    await writeAll([...identities].map(([record, identity]) => writingOf(record, identity)))
    await refresh(issuesOf(identities))
  }

  return {
    async read(page, options) {
      // What moved away is another backend's to take in.
      if (page.takeIn !== false && page.cursor === undefined && !marks.isMoved('completions'))
        await takeIn(options?.signal)
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
