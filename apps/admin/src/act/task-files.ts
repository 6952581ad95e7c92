import type { Backend, TaskFile } from '@nexus/core'
import { z } from 'zod'
import { type Line, linesOf } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import { CorruptRow, corruptRows, PageCursor } from '../cli/paging.ts'
import { fields, table } from '../cli/table.ts'
import { Written } from './guard.ts'

const Row = z.object({
  project: z.string(),
  filename: z.string(),
  state: z.string().describe('active or closed, or what another program wrote'),
  issue: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  rev: z.string(),
})
type Row = z.output<typeof Row>

/** What `task ls --json` prints. */
export const TaskFileList = envelope({ files: z.array(Row), corrupt: z.array(CorruptRow), cursor: PageCursor })
type TaskFileList = z.output<typeof TaskFileList>

/** What `task show --json` prints. */
export const TaskFileShown = envelope({ file: Row.extend({ content: z.string() }) })
type TaskFileShown = z.output<typeof TaskFileShown>

/** What `task put --json` prints. */
export const TaskFilePut = envelope({ project: z.string(), filename: z.string(), ...Written })

const rowOf = ({ project, filename, state, issueNumber, createdAt, updatedAt, rev }: TaskFile): Row => ({
  project,
  filename,
  state,
  issue: issueNumber,
  created_at: createdAt.toISOString(),
  updated_at: updatedAt.toISOString(),
  rev,
})

export interface TaskFileOptions {
  project?: string
  state?: string
  issue?: string
  limit: number
  cursor?: string
}

export const readTaskFiles = async (
  { taskFiles }: Pick<Backend, 'taskFiles'>,
  { project, state, issue, limit, cursor }: TaskFileOptions,
): Promise<TaskFileList> => {
  const page = await taskFiles.list({ project, state, issueNumber: issue, limit, cursor })
  return { version: 1, files: page.items.map(rowOf), corrupt: corruptRows(page), cursor: page.cursor }
}

export const readTaskFile = async (
  { taskFiles }: Pick<Backend, 'taskFiles'>,
  project: string,
  filename: string,
): Promise<TaskFileShown | null> => {
  const file = await taskFiles.load(project, filename)
  return file && { version: 1, file: { ...rowOf(file), content: file.content } }
}

const columns = [
  { heading: 'project' },
  { heading: 'filename', shrinks: true },
  { heading: 'state' },
  { heading: 'issue' },
  { heading: 'updated' },
]

export const taskFilesText = ({ files, corrupt }: TaskFileList): Line[] => {
  const rows = files.map(({ project, filename, state, issue, updated_at }) => [
    project,
    filename,
    state,
    issue ?? '',
    updated_at.slice(0, 19),
  ])
  const broken = corrupt.map(({ name, place, reason }) => `${name} cannot be read: ${place} ${reason}`)
  if (rows.length + broken.length === 0) return ['No task files.']
  return [...(rows.length > 0 ? table(columns, rows) : []), ...broken]
}

export const taskFileText = ({ file: { content, ...row } }: TaskFileShown): string[] => [
  ...fields(row),
  '',
  ...linesOf(content),
]
