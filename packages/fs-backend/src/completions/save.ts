import {
  type CallOptions,
  type Completion,
  CompletionInput,
  type CompletionSaveResult,
  type CompletionStore,
  checkCompletionNames,
  parseInput,
} from '@nexus/core'
import type { z } from 'zod'
import { isVisibleName, summaryFile } from '../layout.ts'
import type { Change, Decision, Planned } from '../revisions/revisions.ts'
import type { FsTools } from '../tools.ts'
import type { DedupKeys } from './dedup-keys.ts'
import { encodeRecord, type Records, recordOf, type StoredRecord } from './record.ts'
import type { Sequence } from './sequence.ts'

type Input = z.output<typeof CompletionInput>

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
export const createSave = (tools: FsTools, { records, keys, sequence }: SaveParts): CompletionStore['save'] => {
  const { revisions, clock, quarantine, atomic, layout } = tools

  const put = async (input: Input, present: StoredRecord | null, dedupKey: string): Promise<Planned> => {
    const former = present?.found.ok ? present.found.item : null
    const savedAt = new Date(clock.now())
    const createdAt = former?.createdAt ?? savedAt
    const { project: _, payload, ...fields } = input
    const { number: seq, settled } = await sequence.next()
    const bytes = encodeRecord({ ...fields, data: JSON.stringify(payload), dedupKey, seq, createdAt, savedAt })
    const base = present?.document.stat ?? null
    const change: Change = { kind: 'put', path: records.path(input), bytes, modified: savedAt, base }
    // Both reach the disk at one time.
    return { change, staged: () => settled }
  }

  const decide = async (input: Input, claim: () => Promise<string>): Promise<Decision<CompletionSaveResult>> => {
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
    const dedupKey = former?.dedupKey ?? (await claim())
    return { answer: { status: present ? 'updated' : 'created', dedupKey }, ...(await put(input, present, dedupKey)) }
  }

  return async (completion: CompletionInput, options?: CallOptions): Promise<CompletionSaveResult> => {
    const input = parseInput(CompletionInput, completion, 'completion')
    if (!isVisibleName(input.project) || !isVisibleName(summaryFile(input.issueNumber))) checkCompletionNames(input)
    const claim = keys.claimant(input)
    return revisions.commit(recordOf(input), () => decide(input, claim), options)
  }
}
