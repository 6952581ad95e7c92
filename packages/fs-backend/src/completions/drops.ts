import {
  type CallOptions,
  type CompletionInput,
  type CompletionSaveResult,
  type CompletionStore,
  dropReportId,
  type ImportedDrop,
  isStoreError,
  maxReportBytes,
  type ReportedCompletion,
  readReportText,
} from '@nexus/core'
import { sha256 } from '../layout.ts'
import type { ReadFile } from '../reading.ts'
import type { FsTools } from '../tools.ts'
import type { Seen } from './seen.ts'

/** Where an agent may have left a summary. */
export interface DropPlace {
  project: string
  issueNumber: string
  path: string
}

type DropOutcome =
  | { status: 'imported'; drop: ImportedDrop }
  /** Nothing there, or nothing new. */
  | { status: 'known' }
  /** It is the very report that the caller has in hand, and is left to whoever gave it. */
  | { status: 'same' }
  /** It may still be in the making, or these completions have moved away and it is for others to take in. */
  | { status: 'waiting' }
  | { status: 'rejected'; reason: string }

export interface ImportOptions extends CallOptions {
  /** The report in hand. */
  inHand?: Pick<CompletionInput, 'agentType' | 'status' | 'reportId' | 'payload'> | undefined
  /** It goes to the completions of this very root, which may have moved away. */
  isHome?: boolean | undefined
}

export interface Drops {
  import(place: DropPlace, completions: Pick<CompletionStore, 'save'>, options?: ImportOptions): Promise<DropOutcome>
}

/** How long a file that cannot be read must stand still before it is taken for finished. */
const settleMs = 2000

interface Still {
  stamp: string
  since: number
}

const createSettling = ({ clock }: FsTools) => {
  const still = new Map<string, Still>()
  return {
    /** Whether this process has seen the file unchanged for long enough, on its monotonic clock. */
    isSettled(path: string, { size, mtimeMs, ino }: ReadFile['stat']): boolean {
      const stamp = `${ino}:${size}:${mtimeMs}`
      const known = still.get(path)
      if (known?.stamp === stamp) return clock.monotonic() - known.since >= settleMs
      still.set(path, { stamp, since: clock.monotonic() })
      return false
    },
    forget: (path: string): boolean => still.delete(path),
  }
}

type Read = { ok: true; report: ReportedCompletion } | { ok: false; reason: string }

type Saved = { ok: true; result: CompletionSaveResult } | { ok: false; reason: string }

/** What the stores refuse for good is the report's fault; what fails for now is tried again at the next look. */
const saveReport = async (
  save: CompletionStore['save'],
  input: CompletionInput,
  options?: CallOptions,
): Promise<Saved> => {
  try {
    return { ok: true, result: await save(input, options) }
  } catch (error) {
    if (isStoreError(error, 'invalid')) return { ok: false, reason: error.message }
    throw error
  }
}

/** One that is too long was not read at all: it may be as long as the disk. */
const readDrop = ({ bytes, stat }: ReadFile, issueNumber: string): Read =>
  stat.size > maxReportBytes
    ? { ok: false, reason: `The report is ${stat.size} bytes long; at most ${maxReportBytes} are taken.` }
    : readReportText(bytes.toString('utf8'), { issueNumber })

const inputOf = (project: string, { bytes, stat }: ReadFile, report: ReportedCompletion): CompletionInput => ({
  project,
  issueNumber: report.issueNumber,
  agentType: report.agentType,
  status: report.status,
  summary: report.summary,
  payload: report.payload,
  reportId: report.attemptId ?? dropReportId(stat.mtimeMs, sha256(bytes)),
})

type InHand = NonNullable<ImportOptions['inHand']>

const isSame = (a: InHand, b: InHand): boolean =>
  a.agentType === b.agentType &&
  a.status === b.status &&
  a.reportId === b.reportId &&
  JSON.stringify(a.payload) === JSON.stringify(b.payload)

/** Importing one summary file. It is read, never written. [C-COMPLETION-9..11] */
export const createDrops = (tools: FsTools, seen: Seen): Drops => {
  const { reading, logger, marks } = tools
  const settling = createSettling(tools)

  const unreadable = async (place: DropPlace, file: ReadFile, reason: string): Promise<DropOutcome> => {
    if (!settling.isSettled(place.path, file.stat)) return { status: 'waiting' }
    settling.forget(place.path)
    if ((await seen.add({ ...place, ...file }, 'rejected')) === 'exists') return { status: 'known' }
    logger.warn('A completion summary cannot be read; it stays where it is', { path: place.path, reason })
    return { status: 'rejected', reason }
  }

  return {
    async import(place, completions, options) {
      const { path, project, issueNumber } = place
      const file = await reading.read(path, maxReportBytes)
      if (!file) return { status: 'known' }
      if (await seen.kindOf({ ...place, ...file })) return { status: 'known' }
      const read = readDrop(file, issueNumber)
      if (!read.ok) return unreadable(place, file, read.reason)
      const after = await reading.stat(path)
      if (after && (after.size !== file.stat.size || after.mtimeMs !== file.stat.mtimeMs)) return { status: 'waiting' }
      const input = inputOf(project, file, read.report)
      if (options?.inHand && isSame(input, options.inHand)) return { status: 'same' }
      if (options?.isHome && marks.isMoved('completions')) return { status: 'waiting' }
      const saved = await saveReport(completions.save, input, options)
      if (!saved.ok) return unreadable(place, file, saved.reason)
      // What was saved after the mark is lost with this copy: the report must stay news to where they went.
      if (options?.isHome) marks.check('completions', 'unknown')
      // A crash before this line imports it again, under the same report id: `unchanged`.
      const isFirst = (await seen.add({ ...place, ...file }, 'drop')) === 'created'
      settling.forget(path)
      return isFirst
        ? { status: 'imported', drop: { path, report: read.report, result: saved.result } }
        : { status: 'known' }
    },
  }
}
