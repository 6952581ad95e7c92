import { createHash } from 'node:crypto'
import type { DeleteResult, Guard, MoveResult, Rev, SaveResult, TaskFile, TaskFileStore } from '@nexus/core'
import {
  canExist,
  checkName,
  makePage,
  maxUpdateTries,
  nameProblem,
  pageLimit,
  parseInput,
  readCursor,
  StoreError,
  siblingName,
  TaskFileInput,
} from '@nexus/core'
import { z } from 'zod'
import { sqlStateOf } from './pg-errors.ts'
import { emptyPage, readDate } from './rows.ts'
import * as sql from './statements/task-files.ts'
import type { Call, PgTools } from './tools.ts'

const Cursor = z.tuple([z.string(), z.int32()])

type Input = z.output<typeof TaskFileInput>

const readRow = (row: sql.TaskFileRow): TaskFile => ({
  project: row.project,
  filename: row.filename,
  content: row.content,
  issueNumber: row.issue_number,
  state: row.state,
  createdAt: readDate(row.created_at) ?? new Date(0),
  updatedAt: readDate(row.updated_at) ?? new Date(0),
  rev: row.hash,
})

/** Unique among the rows we made: of two processes that create one name, one does. */
export const identityKey = (project: string, filename: string): string =>
  createHash('sha256').update(`${project}\0${filename}`).digest('hex')

const namesFit = ({ project, filename, issueNumber }: Input): boolean =>
  nameProblem('project', project) === null &&
  nameProblem('taskFilename', filename) === null &&
  (issueNumber === undefined || issueNumber === null || nameProblem('issueNumber', issueNumber) === null)

const createRows = ({ run }: PgTools) => {
  const load = async (project: string, filename: string, call: Call): Promise<sql.TaskFileRow | null> => {
    if (!canExist(project) || !canExist(filename)) return null
    return (await run(sql.loadTaskFile, [project, filename], call))[0] ?? null
  }

  const find = (project: string, filename: string, call: Call) =>
    canExist(project) && canExist(filename) ? run(sql.findTaskFiles, [project, filename], call) : []

  /** Names that exist are saved as they are; a new one has to be one that we would give. */
  const checkNames = async (input: Input, call: Call): Promise<void> => {
    if (namesFit(input)) return
    const { project, filename, issueNumber } = input
    const [present] = await find(project, filename, call)
    if (!present) {
      checkName('project', project)
      checkName('taskFilename', filename)
    }
    if (issueNumber !== undefined && issueNumber !== null && issueNumber !== present?.issue_number)
      checkName('issueNumber', issueNumber)
  }

  return { load, find, checkNames }
}

type Rows = ReturnType<typeof createRows>

const createSave =
  ({ run }: PgTools, rows: Rows) =>
  async (input: Input, { ifRev, ...call }: Call & Guard): Promise<SaveResult> => {
    await rows.checkNames(input, call)
    const { project, filename, content, issueNumber } = input
    const values = [project, filename, content, issueNumber ?? null]
    const key = identityKey(project, filename)
    const isSet = issueNumber !== undefined
    let current: Rev | null = null
    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      const [row] =
        ifRev === undefined
          ? await run(sql.saveTaskFile, [...values, key, isSet], call)
          : ifRev === null
            ? await run(sql.createTaskFile, [...values, key], call)
            : await run(sql.replaceTaskFile, [...values, ifRev, isSet], call)
      if (row) return { status: 'saved', rev: row.hash }
      current = (await rows.load(project, filename, call))?.hash ?? null
      if (ifRev !== undefined && current !== ifRev) return { status: 'conflict', current }
    }
    return { status: 'conflict', current }
  }

interface Moving {
  project: string
  filename: string
  state: 'active' | 'closed'
}

const createMove = ({ run }: PgTools, rows: Rows) => {
  /** The first name that no other record of the project has. */
  const freeName = async ({ project, filename }: Moving, id: number, call: Call): Promise<string> => {
    for (let n = 1; ; n += 1) {
      const name = siblingName(filename, n)
      if ((await rows.find(project, name, call)).every((other) => other.id === id)) return name
    }
  }

  /** Undefined where another program or process was faster. */
  const attempt = async (moving: Moving, call: Call): Promise<MoveResult | undefined> => {
    const { project, filename, state } = moving
    const found = await rows.find(project, filename, call)
    const row = found.find((candidate) => candidate.state !== state)
    if (!row) return found.length > 0 ? { status: 'already', filename } : { status: 'absent' }
    const name = await freeName(moving, row.id, call)
    const values = [row.id, project, filename, row.state, state, name, identityKey(project, name)]
    try {
      const moved = await run(sql.moveTaskFile, values, call)
      return moved.length > 0 ? { status: 'moved', filename: name } : undefined
    } catch (error) {
      if (sqlStateOf(error) === '23505') return undefined
      throw error
    }
  }

  return async (moving: Moving, call: Call): Promise<MoveResult> => {
    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      const result = await attempt(moving, call)
      if (result) return result
    }
    throw new StoreError({ code: 'unavailable', message: `Others kept changing the task file ${moving.filename}.` })
  }
}

export const createTaskFiles = (tools: PgTools): TaskFileStore => {
  const { run, begin } = tools
  const rows = createRows(tools)
  const save = createSave(tools, rows)
  const move = createMove(tools, rows)

  const remove = async (
    { project, filename }: { project: string; filename: string },
    { ifRev, ...call }: Call & { ifRev?: Rev | undefined },
  ): Promise<DeleteResult> => {
    for (;;) {
      const present = await rows.load(project, filename, call)
      if (!present) return { status: 'absent' }
      if (ifRev !== undefined && ifRev !== present.hash) return { status: 'conflict', current: present.hash }
      const gone = await run(sql.deleteTaskFile, [present.id, present.hash], call)
      if (gone.length > 0) return { status: 'deleted' }
    }
  }

  return {
    async save(file, options) {
      const call = begin(options)
      return save(parseInput(TaskFileInput, file, 'task file'), { ...call, ifRev: options?.ifRev })
    },
    async load(project, filename, options) {
      const row = await rows.load(project, filename, begin(options))
      return row && readRow(row)
    },
    async list(filter = {}, options) {
      const call = begin(options)
      const { project, state, issueNumber } = filter
      const cursor = readCursor(filter, Cursor)
      const statement = sql.listTaskFiles({
        project: project !== undefined,
        state: state !== undefined,
        issueNumber: issueNumber !== undefined,
        after: cursor !== null,
      })
      const given = [project, state, issueNumber].filter((value) => value !== undefined)
      if (!given.every(canExist)) return emptyPage()
      const found = await run(statement, [pageLimit(filter) + 1, ...given, ...(cursor ?? [])], call)
      return makePage(found, filter, {
        read: (row) => ({ ok: true, item: readRow(row) }),
        key: ({ created_text, id }) => [created_text, id],
      })
    },
    async close(project, filename, options) {
      return move({ project, filename, state: 'closed' }, begin(options))
    },
    async reopen(project, filename, options) {
      return move({ project, filename, state: 'active' }, begin(options))
    },
    async delete(project, filename, options) {
      return remove({ project, filename }, { ...begin(options), ifRev: options?.ifRev })
    },
  }
}
