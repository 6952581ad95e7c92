import type { MoveResult, TaskFile, TaskFileFilter, TaskFileStore } from '@nexus/core'
import {
  checkName,
  contentRev,
  deleteRefusal,
  makePage,
  parseInput,
  type Reading,
  readCursor,
  refusal,
  siblingName,
  TaskFileInput,
} from '@nexus/core'
import { z } from 'zod'
import type { TaskFileRow } from './data.ts'
import type { MemoryTools } from './tools.ts'

const Cursor = z.tuple([z.number(), z.number()])

const readRow = ({ id: _, ...row }: TaskFileRow): Reading<TaskFile> & { ok: true } => ({
  ok: true,
  item: { ...row, rev: contentRev(row.project, row.filename, row.issueNumber, row.content, row.state) },
})

const newestFirst = (a: TaskFileRow, b: TaskFileRow): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || b.id - a.id

const rank = ({ state }: TaskFileRow): number => (state === 'active' ? 0 : state === 'closed' ? 1 : 2)

const matches =
  ({ project, state, issueNumber }: TaskFileFilter) =>
  (row: TaskFileRow): boolean =>
    (project === undefined || row.project === project) &&
    (state === undefined || row.state === state) &&
    (issueNumber === undefined || row.issueNumber === issueNumber)

/** The verbs' one way to the rows. */
const createRows = ({ data, context }: MemoryTools) => {
  const now = () => new Date(context.clock.now())

  const named = (project: string, filename: string): TaskFileRow[] =>
    [...data.taskFiles.values()]
      .filter((row) => row.project === project && row.filename === filename)
      .sort((a, b) => rank(a) - rank(b) || newestFirst(a, b))

  const create = (input: z.output<typeof TaskFileInput>): TaskFileRow => {
    const { project, filename, content, issueNumber = null } = input
    checkName('project', project)
    checkName('taskFilename', filename)
    const at = now()
    const id = data.next()
    return { id, project, filename, content, issueNumber, state: 'active', createdAt: at, updatedAt: at }
  }

  const move = (project: string, filename: string, state: 'active' | 'closed'): MoveResult => {
    const rows = named(project, filename)
    const row = rows.find((candidate) => candidate.state !== state)
    if (!row) return rows.length > 0 ? { status: 'already', filename } : { status: 'absent' }
    let n = 1
    while (named(project, siblingName(filename, n)).some((other) => other.id !== row.id)) n++
    const moved = { ...row, filename: siblingName(filename, n), state, updatedAt: now() }
    data.taskFiles.set(row.id, moved)
    return { status: 'moved', filename: moved.filename }
  }

  return { now, named, create, move }
}

export const createMemoryTaskFiles = (tools: MemoryTools): TaskFileStore => {
  const { data, checkOpen } = tools
  const { now, named, create, move } = createRows(tools)
  return {
    async save(file, options = {}) {
      checkOpen(options)
      const input = parseInput(TaskFileInput, file, 'task file')
      const present = named(input.project, input.filename)[0]
      const row = present ?? create(input)
      const { content, issueNumber = row.issueNumber } = input
      if (issueNumber !== null && issueNumber !== present?.issueNumber) checkName('issueNumber', issueNumber)
      const refused = refusal(present ? readRow(present) : null, options.ifRev)
      if (refused) return refused
      const next = { ...row, content, issueNumber, updatedAt: now() }
      data.taskFiles.set(next.id, next)
      return { status: 'saved', rev: readRow(next).item.rev }
    },
    async load(project, filename, options) {
      checkOpen(options)
      const row = named(project, filename)[0]
      return row ? readRow(row).item : null
    },
    async list(filter = {}, options) {
      checkOpen(options)
      const cursor = readCursor(filter, Cursor)
      const isAfter = ({ createdAt, id }: TaskFileRow) =>
        !cursor || createdAt.getTime() < cursor[0] || (createdAt.getTime() === cursor[0] && id < cursor[1])
      const rows = [...data.taskFiles.values()].filter(matches(filter)).filter(isAfter).sort(newestFirst)
      return makePage(rows, filter, { read: readRow, key: ({ createdAt, id }) => [createdAt.getTime(), id] })
    },
    async close(project, filename, options) {
      checkOpen(options)
      return move(project, filename, 'closed')
    },
    async reopen(project, filename, options) {
      checkOpen(options)
      return move(project, filename, 'active')
    },
    async delete(project, filename, options) {
      checkOpen(options)
      const row = named(project, filename)[0]
      const refused = deleteRefusal(row ? readRow(row) : null, options?.ifRev)
      if (refused) return refused
      if (row) data.taskFiles.delete(row.id)
      return { status: 'deleted' }
    },
  }
}
