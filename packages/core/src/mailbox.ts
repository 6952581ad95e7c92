import type { CallOptions } from './call.ts'
import type { CompletionSaveResult, CompletionStore } from './completion.ts'
import type { ReportedCompletion } from './report.ts'

/** A summary file that was imported. */
export interface ImportedDrop {
  path: string
  report: ReportedCompletion
  result: CompletionSaveResult
}

/** A summary file that no longer changes and cannot be read as a report. It stays where it is. */
export interface RejectedDrop {
  path: string
  reason: string
}

/**
 * Where agents leave `completion_summary_{issue}.json`, on disk in every routing. Importing never changes or removes an
 * agent's file; each content is imported once, across processes and restarts. [C-COMPLETION-9..12]
 */
export interface Mailbox {
  /** The absolute place an agent is told to write to. */
  file(project: string, issueNumber: string): string

  /**
   * Saves every drop that was not imported yet, oldest first. A file that does not parse is left for a later call until
   * its size and time of change have stood still for `settleMs`, then rejected once. Its report id is the payload's
   * `attempt_id`, else `dropReportId`.
   */
  collect(
    completions: Pick<CompletionStore, 'save'>,
    options?: CallOptions,
  ): Promise<{ imported: ImportedDrop[]; rejected: RejectedDrop[]; waiting: number }>

  /** A hint that `collect` may find something. Ends when the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<void>
}

const dropPattern = /^drop:(\d+):/

/** Report id of a summary file that names no attempt: tells one writing of the file from the next. */
export const dropReportId = (modifiedMs: number, contentHash: string): string =>
  `drop:${Math.floor(modifiedMs)}:${contentHash.slice(0, 16)}`

/** When the file behind such a report id was written (epoch milliseconds), or null for any other report id. */
export const dropModifiedMs = (reportId: string): number | null => {
  const found = dropPattern.exec(reportId)
  return found ? Number(found[1]) : null
}
