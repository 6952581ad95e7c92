import { type Backend, type InboxTask, inboxStatuses } from '@nexus/core'
import { z } from 'zod'
import { type Line, linesOf } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import { CorruptRow, corruptRows, PageCursor } from '../cli/paging.ts'
import { fields, table } from '../cli/table.ts'

const Row = z.object({
  id: z.string(),
  project: z.string(),
  workspace: z.string(),
  filename: z.string(),
  status: z.string().describe(`${inboxStatuses.join(', ')}, or what another program wrote`),
  priority: z.int(),
  run_at: z.iso.datetime().describe('not before this'),
  attempts: z.int(),
  recoveries: z.int(),
  max_attempts: z.int(),
  issue: z.string().nullable(),
  error: z.string().nullable(),
  claimed_by: z.string().nullable(),
  cancel_requested: z.boolean(),
  idempotency_key: z.string().nullable(),
  created_at: z.iso.datetime(),
  processed_at: z.iso.datetime().nullable(),
})
type Row = z.output<typeof Row>

/** What `inbox ls --json` prints. */
export const InboxList = envelope({ tasks: z.array(Row), corrupt: z.array(CorruptRow), cursor: PageCursor })
type InboxList = z.output<typeof InboxList>

/** What `inbox show --json` prints. */
export const InboxShown = envelope({ task: Row.extend({ markdown: z.string() }) })
type InboxShown = z.output<typeof InboxShown>

const rowOf = (task: InboxTask): Row => ({
  id: task.id,
  project: task.project,
  workspace: task.workspace,
  filename: task.filename,
  status: task.status,
  priority: task.priority,
  run_at: task.runAt.toISOString(),
  attempts: task.attempts,
  recoveries: task.recoveries,
  max_attempts: task.maxAttempts,
  issue: task.issueNumber,
  error: task.error,
  claimed_by: task.claimedBy,
  cancel_requested: task.cancelRequested,
  idempotency_key: task.idempotencyKey,
  created_at: task.createdAt.toISOString(),
  processed_at: task.processedAt?.toISOString() ?? null,
})

export interface InboxFilterOptions {
  status?: string
  project?: string
}

export const readInbox = async (
  { inbox }: Pick<Backend, 'inbox'>,
  { status, project, limit, cursor }: InboxFilterOptions & { limit: number; cursor?: string },
): Promise<InboxList> => {
  const page = await inbox.list({ status, project, limit, cursor })
  return { version: 1, tasks: page.items.map(rowOf), corrupt: corruptRows(page), cursor: page.cursor }
}

export const inboxText = ({ tasks, corrupt }: InboxList): Line[] => {
  if (tasks.length + corrupt.length === 0) return ['No tasks.']
  const columns = [
    { heading: 'id' },
    { heading: 'project' },
    { heading: 'filename', shrinks: true },
    { heading: 'status' },
    { heading: 'issue' },
    { heading: 'tries' },
    { heading: 'created' },
    { heading: 'error', shrinks: true },
  ]
  const rows = tasks.map((task) => [
    task.id,
    task.project,
    task.filename,
    task.cancel_requested ? `${task.status}, to be cancelled` : task.status,
    task.issue ?? '',
    `${task.attempts}/${task.max_attempts}`,
    task.created_at.slice(0, 19),
    task.error ?? '',
  ])
  const broken = corrupt.map(({ name, place, reason }) => `${name} cannot be read: ${place} ${reason}`)
  return [...(rows.length > 0 ? table(columns, rows) : []), ...broken]
}

export const readTask = async ({ inbox }: Pick<Backend, 'inbox'>, id: string): Promise<InboxShown | null> => {
  const task = await inbox.load(id)
  return task && { version: 1, task: { ...rowOf(task), markdown: task.markdown } }
}

export const taskText = ({ task: { markdown, ...task } }: InboxShown): string[] => [
  ...fields(task),
  '',
  ...linesOf(markdown),
]
