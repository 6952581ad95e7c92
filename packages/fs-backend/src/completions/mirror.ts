import {
  type Completion,
  type CompletionStatus,
  type CompletionStore,
  completionStatuses,
  maxReportBytes,
} from '@nexus/core'
import { documentOf, encodeJson } from '../documents.ts'
import type { ReadFile } from '../reading.ts'
import type { Change, Decision } from '../revisions/revisions.ts'
import type { FsTools } from '../tools.ts'
import type { DropPlace, Drops, ImportOptions } from './drops.ts'
import { latestOf, type Records } from './record.ts'
import type { Seen } from './seen.ts'

/** The documented summary file, kept like the latest record. [C-COMPLETION-12] */
export interface Mirror {
  refresh(project: string, issueNumber: string): Promise<void>
}

interface MirrorParts {
  records: Records
  seen: Seen
  drops: Drops
  /** Saves without touching the mirror. */
  save: CompletionStore['save']
}

const inHandOf = ({ agentType, status, reportId, payload }: Completion): ImportOptions['inHand'] =>
  isCompletionStatus(status) ? { agentType, status, reportId, payload } : undefined

const isCompletionStatus = (status: string): status is CompletionStatus =>
  (completionStatuses as readonly string[]).includes(status)

const nothing = { answer: undefined }

export const createMirror = (tools: FsTools, { records, seen, drops, save }: MirrorParts): Mirror => {
  const { layout, reading, revisions, quarantine, clock } = tools

  const remove = async (place: DropPlace, file: ReadFile | null): Promise<Decision<void>> => {
    const isOurs = file !== null && (await seen.kindOf({ ...place, ...file })) === 'mirror'
    if (!isOurs) return nothing
    return { answer: undefined, change: { kind: 'drop', path: place.path, base: file.stat } }
  }

  const publish = (place: DropPlace, file: ReadFile | null, text: string): Decision<void> => {
    const bytes = Buffer.from(text)
    const change: Change = {
      kind: 'put',
      path: place.path,
      bytes,
      modified: new Date(clock.now()),
      base: file?.stat ?? null,
    }
    // Known before anybody can read it, so no process takes it for a report.
    const staged = async (stat: ReadFile['stat']): Promise<void> =>
      void (await seen.add({ ...place, stat, bytes }, 'mirror'))
    return { answer: undefined, change, staged }
  }

  const decide = async (place: DropPlace): Promise<Decision<void>> => {
    const before = latestOf(await records.ofIssue(place.project, place.issueNumber))
    const inHand = before?.found.ok ? inHandOf(before.found.item) : undefined
    const outcome = await drops.import(place, { save }, { inHand, isHome: true })
    // Still in the making, another backend's, or the mirror already; the import of what it becomes refreshes again.
    if (outcome.status === 'waiting' || outcome.status === 'same') return nothing
    const file = await reading.read(place.path, maxReportBytes)
    const kind = file && (await seen.kindOf({ ...place, ...file }))
    if (file && kind === null) return decide(place)
    // Too long to be a report, and to be copied before we replace it: whoever wrote it may take it away.
    if (file && kind === 'rejected' && file.stat.size > maxReportBytes) return nothing
    const latest = latestOf(await records.ofIssue(place.project, place.issueNumber))
    if (!latest?.found.ok) return remove(place, file)
    const present = file && documentOf(place.path, file).parsed
    const { payload } = latest.found.item
    if (present?.ok && JSON.stringify(present.value) === JSON.stringify(payload)) return nothing
    if (file && kind === 'rejected')
      await quarantine.keep(place.path, file.bytes, 'It is no report, and a report replaces it.')
    return publish(place, file, encodeJson(payload))
  }

  return {
    refresh: (project, issueNumber) => {
      const path = layout.summary(project, issueNumber)
      return revisions.commit(`mirror/${project}/${issueNumber}`, () => decide({ project, issueNumber, path }))
    },
  }
}
