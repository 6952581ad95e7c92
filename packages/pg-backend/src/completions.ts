import type {
  CallOptions,
  Completion,
  CompletionSaveResult,
  CompletionStore,
  DeleteResult,
  Page,
  PageRequest,
  Rev,
} from '@nexus/core'
import {
  CompletionInput,
  canExist,
  checkCompletionNames,
  checkName,
  dedupKey,
  makePage,
  maxUpdateTries,
  nameProblem,
  pageLimit,
  parseInput,
  projectDedupKey,
  type Reading,
  readCursor,
  readingRev,
  StoreError,
} from '@nexus/core'
import { z } from 'zod'
import { hashOf, isUnreadableRev, unreadableRev } from './rev.ts'
import { emptyPage, readDate, readJsonObject } from './rows.ts'
import * as sql from './statements/completions.ts'
import type { PgTools } from './tools.ts'

/** Place in the order of saving (null: older than that order), time and id. */
const Cursor = z.tuple([
  z
    .string()
    .regex(/^-?\d{1,19}$/)
    .nullable(),
  z.string(),
  z.int32(),
])

type Input = z.output<typeof CompletionInput>

const readRow = (row: sql.CompletionRow): Reading<Completion> => {
  const payload = readJsonObject(row.data)
  if (!payload.ok) {
    const place = `nexus_completions dedup_key=${row.dedup_key}`
    const corrupt = { name: row.dedup_key, place, reason: payload.reason, rev: unreadableRev(row.hash) }
    return { ok: false, corrupt }
  }
  const createdAt = readDate(row.created_at) ?? new Date(0)
  const item: Completion = {
    project: row.project,
    issueNumber: row.issue_number,
    agentType: row.agent_type,
    status: row.status,
    summary: row.summary_text,
    payload: payload.value,
    reportId: row.report_id,
    dedupKey: row.dedup_key,
    createdAt,
    savedAt: readDate(row.updated_at) ?? createdAt,
    rev: row.hash,
  }
  return { ok: true, item }
}

const namesFit = ({ project, issueNumber, agentType }: Input): boolean =>
  nameProblem('project', project) === null &&
  nameProblem('issueNumber', issueNumber) === null &&
  nameProblem('agentType', agentType) === null

const createSave =
  ({ run }: PgTools) =>
  async (input: Input, options: CallOptions): Promise<CompletionSaveResult> => {
    const { project, issueNumber, agentType, status, summary, payload, reportId } = input
    const identity = [project, issueNumber, agentType, status]
    const values = [...identity, summary, JSON.stringify(payload), reportId]
    // Names that exist are saved as they are; a new one has to be one that we would give.
    if (!namesFit(input) && (await run(sql.findCompletion, identity, options)).length === 0) checkCompletionNames(input)

    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      let [row] = await run(sql.saveCompletion, [...values, dedupKey(input), projectDedupKey(input)], options)
      // The first time it may be a race, and the same statement knows better now.
      if (!row && tries > 0) {
        const [present] = await run(sql.findCompletion, identity, options)
        const isUnreadable = present !== undefined && !readRow(present).ok
        if (present)
          [row] = await run(
            sql.replaceUnreadableCompletion,
            [...values, present.id, present.hash, isUnreadable],
            options,
          )
      }
      if (row) return { status: row.status, dedupKey: row.dedup_key }
    }
    throw new StoreError({ code: 'unavailable', message: `Others kept changing the completion ${dedupKey(input)}.` })
  }

interface ListRequest extends PageRequest {
  latest: boolean
  issueNumber: string | undefined
  project: string | null | undefined
}

const createList =
  ({ run }: PgTools) =>
  async (request: ListRequest, options: CallOptions): Promise<Page<Completion>> => {
    const { latest, issueNumber, project } = request
    const cursor = readCursor(request, Cursor)
    const limit = pageLimit(request)
    const statement = sql.listCompletions({
      latest,
      issueNumber: issueNumber !== undefined,
      project: project === undefined ? 'any' : project === null ? 'none' : 'one',
      after: cursor === null ? 'start' : cursor[0] === null ? 'unordered' : 'ordered',
    })
    const given = [issueNumber, project].filter((value) => typeof value === 'string')
    if (!given.every(canExist)) return emptyPage()
    const after = (cursor ?? []).filter((value) => value !== null)
    const rows = await run(statement, [limit + 1, ...given, ...after], options)
    return makePage(rows, request, { read: readRow, key: ({ seq, created_text, id }) => [seq, created_text, id] })
  }

const createAssign =
  ({ run }: PgTools) =>
  async (key: string, project: string, options: CallOptions): ReturnType<CompletionStore['assign']> => {
    checkName('project', project)
    if (!canExist(key)) return { status: 'absent' }
    for (;;) {
      const [found] = await run(sql.assignCompletion, [key, project], options)
      if (!found) return { status: 'absent' }
      if (found.owner !== null) return { status: 'owned', project: found.owner }
      if (found.is_taken) return { status: 'taken' }
      if (found.is_assigned) return { status: 'assigned' }
    }
  }

export const createCompletions = (tools: PgTools): CompletionStore => {
  const { run, checkOpen } = tools
  const save = createSave(tools)
  const list = createList(tools)
  const assign = createAssign(tools)

  const remove = async (key: string, { ifRev, ...options }: CallOptions & { ifRev?: Rev }): Promise<DeleteResult> => {
    for (;;) {
      const [row] = canExist(key) ? await run(sql.loadCompletion, [key], options) : []
      if (!row) return { status: 'absent' }
      const current = readingRev(readRow(row))
      if (ifRev !== undefined && ifRev !== current) return { status: 'conflict', current }
      const gone = await run(sql.deleteCompletion, [row.id, hashOf(current), isUnreadableRev(current)], options)
      if (gone.length > 0) return { status: 'deleted' }
    }
  }

  return {
    async save(completion, options = {}) {
      checkOpen(options)
      return save(parseInput(CompletionInput, completion, 'completion'), options)
    },
    async scan({ issueNumber, project, ...page } = {}, options = {}) {
      checkOpen(options)
      return list({ ...page, latest: true, issueNumber, project }, options)
    },
    async history(issueNumber, { project, ...page } = {}, options = {}) {
      checkOpen(options)
      return list({ ...page, latest: false, issueNumber, project }, options)
    },
    async assign(key, project, options = {}) {
      checkOpen(options)
      return assign(key, project, options)
    },
    async delete(key, options = {}) {
      checkOpen(options)
      return remove(key, options)
    },
  }
}
