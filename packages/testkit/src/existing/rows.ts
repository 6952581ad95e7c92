import { type ExistingRow, row } from './database.ts'
import { type EarlierDocument, moment, summaryDocument, workflowDocument } from './documents.ts'
import { columnJson } from './earlier-json.ts'

/** A workflow whose column and document agree, but for what `more` changes in the document. */
export const workflowRow = (id: string, state: string, day: number, more: EarlierDocument = {}): ExistingRow =>
  row('workflows', {
    id,
    state,
    definition_id: day % 2 === 0 ? null : 'full_workflow',
    current_step: 1,
    data: columnJson(workflowDocument(id, state, more)),
    created_at: moment(day),
    updated_at: moment(day, '999999'),
  })

interface Summary {
  id: number
  issue: string
  agent: string
  status?: string
  key: string
  day: number
  document?: EarlierDocument
}

export const completionRow = ({ id, issue, agent, status = 'complete', key, day, document }: Summary): ExistingRow =>
  row('completions', {
    id,
    issue_number: issue,
    agent_type: agent,
    status,
    summary_text: `Erledigt: ${agent} – ✓`,
    data: columnJson(document ?? summaryDocument(issue, agent, { status })),
    dedup_key: key,
    created_at: moment(day),
  })

export const stateRow = (key: string, data: string, { reads = true } = {}): ExistingRow =>
  row('host_state', { key, data, updated_at: moment(5) }, { reads })

interface TaskFileParts {
  id: number
  project: string
  filename: string
  state: string
  issue?: string | null
  content?: string
  day?: number
}

export const taskFileRow = ({ id, project, filename, state, issue, content, day }: TaskFileParts): ExistingRow =>
  row('task_files', {
    id,
    project,
    issue_number: issue ?? null,
    filename,
    content: content ?? `# Feature\n**Project:** ${project}\n**Status:** Pending\n\nGröße ändern\r\n`,
    state,
    created_at: moment(day ?? 6),
    updated_at: moment(day ?? 6, '000001'),
  })

/** A row of the inbox: [id, project, filename, status]. */
export const inboxRow = (
  table: 'inbox_queue' | 'inbox_tasks',
  [id, project, filename, status]: readonly [number, string, string, string],
  more: ExistingRow['values'] = {},
): ExistingRow =>
  row(table, {
    id,
    project_key: project,
    workspace: `/srv/${project}`,
    filename,
    markdown_content: `# Chore\n\n**Task Name:** ${filename}\n\nÜberarbeiten 日本語\n`,
    status,
    ...more,
  })
