import type { CompletionStatus } from './completion.ts'
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from './json.ts'
import { nameProblem } from './names.ts'
import { repairText } from './text.ts'

/** What an agent reported, as far as stores and engine need it; `payload` is the report verbatim. */
export interface ReportedCompletion {
  issueNumber: string
  agentType: string
  status: CompletionStatus
  summary: string
  payload: JsonObject
  /** The payload's `attempt_id`. */
  attemptId: string | null
}

/** The longest report that is taken in, as a file or as a request, in bytes: agents in the field write 5 MB of text. */
export const maxReportBytes = 8 * 1024 * 1024

export type ReadReport = { ok: true; report: ReportedCompletion } | { ok: false; reason: string }

const statusWords = {
  complete: 'complete',
  completed: 'complete',
  done: 'complete',
  success: 'complete',
  'in-progress': 'in-progress',
  in_progress: 'in-progress',
  blocked: 'blocked',
} as const satisfies Record<string, CompletionStatus>

const word = (value: JsonValue | undefined): string | null =>
  typeof value === 'string' ? repairText(value).trim() : typeof value === 'number' ? String(value) : null

const readStatus = (value: JsonValue | undefined): CompletionStatus | null => {
  if (value === undefined || value === null || value === '') return 'complete'
  const key = word(value)?.toLowerCase() ?? ''
  return Object.hasOwn(statusWords, key) ? statusWords[key as keyof typeof statusWords] : null
}

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? ''

/**
 * Reads the JSON of a completion summary (protocol: "facts about how agents and hosts already talk"), mending what real
 * agents get wrong. `issueNumber` is what the file's name says, used where the report says nothing.
 */
export const readReport = (payload: JsonValue, known: { issueNumber?: string } = {}): ReadReport => {
  if (!isJsonObject(payload)) return { ok: false, reason: 'The report is not a JSON object.' }
  const issueNumber = known.issueNumber ?? word(payload['issue_number'])
  if (!issueNumber) return { ok: false, reason: 'The report has no issue_number.' }
  const agentType = word(payload['agent_type'])?.replace(/^@/, '')
  if (!agentType) return { ok: false, reason: 'The report has no agent_type.' }
  const status = readStatus(payload['status'])
  if (!status)
    return {
      ok: false,
      reason: `The report's status ${JSON.stringify(payload['status'])} is not complete, in-progress or blocked.`,
    }
  const summary = word(payload['summary'])
  if (summary === null) return { ok: false, reason: 'The report has no summary.' }
  for (const [kind, name] of [
    ['issueNumber', issueNumber],
    ['agentType', agentType],
  ] as const) {
    const problem = nameProblem(kind, name)
    if (problem)
      return { ok: false, reason: `The report's ${kind === 'agentType' ? 'agent_type' : 'issue_number'} ${problem}.` }
  }
  const attemptId = word(payload['attempt_id']) || null
  return { ok: true, report: { issueNumber, agentType, status, summary: firstLine(summary), payload, attemptId } }
}

/** The same from text, as a file or a request body has it. */
export const readReportText = (text: string, known: { issueNumber?: string } = {}): ReadReport => {
  const parsed = parseJson(text)
  return parsed.ok ? readReport(parsed.value, known) : { ok: false, reason: `The report ${parsed.reason}.` }
}
