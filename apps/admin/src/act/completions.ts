import type { Backend, Completion, Page } from '@nexus/core'
import { z } from 'zod'
import { CommandError, usageError } from '../cli/exit.ts'
import { jsonText, type Line, linesOf, plain } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import { CorruptRow, corruptRows, PageCursor } from '../cli/paging.ts'
import { fields, table } from '../cli/table.ts'

const Row = z.object({
  dedup_key: z.string(),
  project: z.string().nullable(),
  issue: z.string(),
  agent: z.string(),
  status: z.string().describe('complete, in-progress, blocked, or what another program wrote'),
  summary: z.string(),
  report_id: z.string().nullable().describe('the run that reported'),
  created_at: z.iso.datetime(),
  saved_at: z.iso.datetime(),
  rev: z.string(),
})
type Row = z.output<typeof Row>

/** What `completion ls --json` and `completion history --json` print. */
export const CompletionList = envelope({ completions: z.array(Row), corrupt: z.array(CorruptRow), cursor: PageCursor })
type CompletionList = z.output<typeof CompletionList>

/** What `completion show --json` prints. */
export const CompletionShown = envelope({ completion: Row.extend({ payload: z.record(z.string(), z.json()) }) })
type CompletionShown = z.output<typeof CompletionShown>

const rowOf = (completion: Completion): Row => ({
  dedup_key: completion.dedupKey,
  project: completion.project,
  issue: completion.issueNumber,
  agent: completion.agentType,
  status: completion.status,
  summary: completion.summary,
  report_id: completion.reportId,
  created_at: completion.createdAt.toISOString(),
  saved_at: completion.savedAt.toISOString(),
  rev: completion.rev,
})

const listOf = (page: Page<Completion>): CompletionList => ({
  version: 1,
  completions: page.items.map(rowOf),
  corrupt: corruptRows(page),
  cursor: page.cursor,
})

export interface CompletionFilter {
  project?: string
  limit: number
  cursor?: string
}

type Completions = Pick<Backend, 'completions'>

export const readLatest = async (
  { completions }: Completions,
  { issue, project, limit, cursor }: CompletionFilter & { issue?: string },
): Promise<CompletionList> => listOf(await completions.scan({ issueNumber: issue, project, limit, cursor }))

export const readHistory = async (
  { completions }: Completions,
  issue: string,
  { project, limit, cursor }: CompletionFilter,
): Promise<CompletionList> => listOf(await completions.history(issue, { project, limit, cursor }))

/** The latest report on an issue. Where several projects have such an issue, one is to be named. */
export const readCompletion = async (
  { completions }: Completions,
  issue: string,
  project: string | undefined,
): Promise<CompletionShown> => {
  const { items } = await completions.scan({ issueNumber: issue, project })
  const projects = [...new Set(items.map((item) => plain(item.project ?? '(none)')))].sort()
  if (projects.length > 1)
    throw usageError(`Issue ${issue} has reports in ${projects.join(', ')}. Say which: --project ${projects.at(-1)}`)
  const [latest] = items
  if (!latest) throw new CommandError('failed', `There is no report on issue ${issue}. See: nexus-admin completion ls`)
  return { version: 1, completion: { ...rowOf(latest), payload: latest.payload } }
}

const columns = [
  { heading: 'saved' },
  { heading: 'project' },
  { heading: 'issue' },
  { heading: 'agent' },
  { heading: 'status' },
  { heading: 'summary', shrinks: true },
]

export const completionsText = ({ completions, corrupt }: CompletionList): Line[] => {
  const rows = completions.map(({ saved_at, project, issue, agent, status, summary }) => [
    saved_at.slice(0, 19),
    project ?? '',
    issue,
    agent,
    status,
    summary,
  ])
  const broken = corrupt.map(({ name, place, reason }) => `${name} cannot be read: ${place} ${reason}`)
  if (rows.length + broken.length === 0) return ['No completions.']
  return [...(rows.length > 0 ? table(columns, rows) : []), ...broken]
}

export const completionText = ({ completion: { payload, ...row } }: CompletionShown): string[] => [
  ...fields(row),
  '',
  ...linesOf(jsonText(payload, 2)),
]
