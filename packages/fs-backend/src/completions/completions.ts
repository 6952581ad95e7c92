import type {
  CallOptions,
  Completion,
  CompletionSaveResult,
  CompletionStore,
  JsonValue,
  Page,
  PageRequest,
} from '@nexus/core'
import {
  CompletionInput,
  checkCompletionNames,
  checkName,
  pageLimit,
  parseInput,
  projectDedupKey,
  readCursor,
} from '@nexus/core'
import { z } from 'zod'
import { decideDelete } from '../found.ts'
import { begun, ifPossible } from '../fs-errors.ts'
import { isVisibleName, summaryFile } from '../layout.ts'
import { collectPage, newestFirst } from '../paging.ts'
import type { Decision } from '../revisions/revisions.ts'
import type { FsTools } from '../tools.ts'
import { createDedupKeys, type DedupKeys } from './dedup-keys.ts'
import type { Drops } from './drops.ts'
import { createMailbox } from './mailbox.ts'
import { createMirror } from './mirror.ts'
import { createRecords, encodeRecord, type Identity, latestOf, type Records, type StoredRecord } from './record.ts'
import type { Seen } from './seen.ts'
import { createSequence, type Sequence } from './sequence.ts'

const Cursor = z.tuple([z.number(), z.string()])

type Input = z.output<typeof CompletionInput>

const recordOf = ({ project, issueNumber, agentType, status }: Identity): string =>
  `completions/${project}/${issueNumber}:${agentType}:${status}`

const isSame = (present: Completion, input: Input): boolean =>
  present.summary === input.summary &&
  present.reportId === input.reportId &&
  JSON.stringify(present.payload) === JSON.stringify(input.payload)

interface SaveParts {
  records: Records
  keys: DedupKeys
  sequence: Sequence
}

/** Saving the record alone; the mirror is refreshed by those who are not the mirror. */
const createSave = (tools: FsTools, { records, keys, sequence }: SaveParts) => {
  const { revisions, clock, quarantine, atomic, layout } = tools

  const put = async (input: Input, present: StoredRecord | null, dedupKey: string) => {
    const former = present?.found.ok ? present.found.item : null
    const savedAt = new Date(clock.now())
    const createdAt = former?.createdAt ?? savedAt
    const { project: _, ...fields } = input
    const bytes = encodeRecord({ ...fields, dedupKey, seq: await sequence.next(), createdAt, savedAt })
    const base = present?.document.stat ?? null
    return { kind: 'put', path: records.path(input), bytes, modified: savedAt, base } as const
  }

  const decide = async (input: Input): Promise<Decision<CompletionSaveResult>> => {
    const present = await records.read(input)
    if (!present) checkCompletionNames(input)
    const former = present?.found.ok ? present.found.item : null
    if (former && isSame(former, input)) {
      // Whoever wrote it may have been killed before it was durable.
      await atomic.syncFolder(layout.issue(input.project, input.issueNumber))
      return { answer: { status: 'unchanged', dedupKey: former.dedupKey } }
    }
    if (present && !present.found.ok)
      await quarantine.keep(present.document.path, present.document.bytes, present.found.corrupt.reason)
    const dedupKey = former?.dedupKey ?? (await keys.claim(input))
    return {
      answer: { status: present ? 'updated' : 'created', dedupKey },
      change: await put(input, present, dedupKey),
    }
  }

  /** Another project took the key between our claim and our record: ours gets the key that only we can have. */
  const rename = (input: Input): Promise<string> =>
    revisions.commit<string>(recordOf(input), async () => {
      const present = await records.read(input)
      const dedupKey = projectDedupKey(input)
      if (!present?.found.ok || present.found.item.dedupKey === dedupKey) return { answer: dedupKey }
      const bytes = encodeRecord({ ...present.found.item, seq: present.seq, dedupKey })
      const { path, stat } = present.document
      return { answer: dedupKey, change: { kind: 'put', path, bytes, modified: new Date(stat.mtimeMs), base: stat } }
    })

  return async (completion: CompletionInput, options?: CallOptions): Promise<CompletionSaveResult> => {
    const input = parseInput(CompletionInput, completion, 'completion')
    if (!isVisibleName(input.project) || !isVisibleName(summaryFile(input.issueNumber))) checkCompletionNames(input)
    const result = await revisions.commit(recordOf(input), () => decide(input), options)
    const isHeld = await begun(() => keys.isHeld(input, result.dedupKey))
    return isHeld ? result : { ...result, dedupKey: await begun(() => rename(input)) }
  }
}

const pageOf = (request: PageRequest, records: AsyncIterable<StoredRecord>): Promise<Page<Completion>> => {
  const rows = async function* () {
    for await (const { seq, found, document } of records) {
      const key: [number, string] = [seq, found.ok ? '' : document.path]
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

export interface CompletionParts {
  seen: Seen
  drops: Drops
}

export const createCompletions = (tools: FsTools, { seen, drops }: CompletionParts): CompletionStore => {
  const { layout, reading, revisions, quarantine, logger, checkOpen } = tools
  let isRefused = false
  const records = createRecords(tools)
  const keys = createDedupKeys(tools, records)
  const saveRecord = createSave(tools, { records, keys, sequence: createSequence(tools) })
  const mirror = createMirror(tools, { records, seen, drops, save: saveRecord })
  const mailbox = createMailbox(tools, { seen, drops })

  const saveAndMirror: CompletionStore['save'] = async (completion, options) => {
    const result = await saveRecord(completion, options)
    await begun(() => mirror.refresh(completion.project, completion.issueNumber))
    return result
  }

  /** A drop that cannot be stored now stays where it is for the next look, and hides nothing that is stored. */
  const collect = async (options: CallOptions | undefined): Promise<void> => {
    const isDone = await ifPossible(() => mailbox.collect({ save: saveAndMirror }, options))
    if (!isDone && !isRefused) logger.warn('Completion summaries cannot be imported for now', { root: layout.root })
    if (isDone && isRefused) logger.info('Completion summaries are imported again', { root: layout.root })
    isRefused = !isDone
  }

  const projectsOf = async (project: string | null | undefined): Promise<string[]> => {
    if (project === null) return []
    return (project === undefined ? await reading.folders(layout.projects) : [project]).filter(isVisibleName)
  }

  const findByKey = async (key: string): Promise<{ identity: Identity; record: StoredRecord } | null> => {
    const identity = await keys.find(key)
    if (!identity || !isVisibleName(identity.project)) return null
    const record = await records.read(identity)
    if (!record || (record.found.ok && record.found.item.dedupKey !== key)) return null
    return { identity, record }
  }

  return {
    async save(completion, options) {
      checkOpen(options)
      const inHand = parseInput(CompletionInput, completion, 'completion')
      const { project, issueNumber } = inHand
      // A report that lies there already came first.
      if (isVisibleName(project) && isVisibleName(summaryFile(issueNumber)))
        await drops.import(
          { project, issueNumber, path: layout.summary(project, issueNumber) },
          { save: saveRecord },
          { ...options, inHand },
        )
      return saveAndMirror(completion, options)
    },
    async scan(filter = {}, options) {
      checkOpen(options)
      pageLimit(filter)
      await collect(options)
      const latest = async function* () {
        for (const project of await projectsOf(filter.project)) {
          const { issueNumber } = filter
          if (issueNumber !== undefined) yield* shownOf(await records.ofIssue(project, issueNumber))
          else for await (const ofIssue of records.byIssue(project)) yield* shownOf(ofIssue)
        }
      }
      return pageOf(filter, latest())
    },
    async history(issueNumber, filter = {}, options) {
      checkOpen(options)
      pageLimit(filter)
      await collect(options)
      const all = async function* () {
        for (const project of await projectsOf(filter.project)) yield* await records.ofIssue(project, issueNumber)
      }
      return pageOf(filter, all())
    },
    async assign(key, project, options) {
      checkOpen(options)
      checkName('project', project)
      const found = await findByKey(key)
      return found ? { status: 'owned', project: found.identity.project } : { status: 'absent' }
    },
    async delete(key, options) {
      checkOpen(options)
      const found = await findByKey(key)
      if (!found) return { status: 'absent' }
      const { identity } = found
      const decide = async () => {
        const present = await records.read(identity)
        const keep = async (): Promise<void> => {
          if (present && !present.found.ok)
            await quarantine.keep(present.document.path, present.document.bytes, present.found.corrupt.reason)
        }
        return decideDelete(present?.document ?? null, options?.ifRev, keep)
      }
      const result = await revisions.commit(recordOf(identity), decide, options)
      if (result.status === 'deleted') await begun(() => mirror.refresh(identity.project, identity.issueNumber))
      return result
    },
  }
}
