import type {
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
  encodeCursor,
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
import { createCoalesced } from './coalesce.ts'
import { sqlStateOf } from './pg-errors.ts'
import { hashOf, isUnreadableRev, unreadableRev } from './rev.ts'
import { readDate, readJsonObject } from './rows.ts'
import * as sql from './statements/completions.ts'
import type { Call, PgTools } from './tools.ts'

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

/** One save, with the operation that it is, if it is one. */
interface Save {
  input: Input
  id: string | null
}

const identityOf = ({ project, issueNumber, agentType, status }: Input): string[] => [
  project,
  issueNumber,
  agentType,
  status,
]

const wordsOf = ({ summary, payload, reportId }: Input) => [summary, JSON.stringify(payload), reportId]

const createSaveOne =
  ({ run }: Pick<PgTools, 'run'>) =>
  async ({ input, id }: Save, call: Call): Promise<CompletionSaveResult> => {
    const identity = identityOf(input)
    const values = [...identity, ...wordsOf(input)]
    // Names that exist are saved as they are; a new one has to be one that we would give.
    if (!namesFit(input) && (await run(sql.findCompletion, identity, call)).length === 0) checkCompletionNames(input)

    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      let [row] = await run(sql.saveCompletion, [...values, dedupKey(input), projectDedupKey(input), id], call)
      // The first time it may be a race, and the same statement knows better now.
      if (!row && tries > 0) {
        const [present] = await run(sql.findCompletion, identity, call)
        const isUnreadable = present !== undefined && !readRow(present).ok
        if (present)
          [row] = await run(
            sql.replaceUnreadableCompletion,
            [...values, present.id, present.hash, isUnreadable, id],
            call,
          )
      }
      if (row) return { status: row.status, dedupKey: row.dedup_key }
    }
    throw new StoreError({ code: 'unavailable', message: `Others kept changing the completion ${dedupKey(input)}.` })
  }

const createSaveMany =
  ({ run }: Pick<PgTools, 'run'>) =>
  async (saves: readonly Save[], call: Call): Promise<(CompletionSaveResult | null)[]> => {
    const fitting = saves.filter(({ input }) => namesFit(input))
    const rows = fitting.map(({ input, id }) => [
      ...identityOf(input),
      ...wordsOf(input),
      dedupKey(input),
      projectDedupKey(input),
      id,
    ])
    const columns = Array.from({ length: 10 }, (_, column) => rows.map((row) => row[column] ?? null))
    const saved = new Map<Save, CompletionSaveResult>()
    for (const { nth, status, dedup_key } of await run(sql.saveCompletions, columns, call)) {
      const save = fitting[nth - 1]
      if (save) saved.set(save, { status, dedupKey: dedup_key })
    }
    return saves.map((save) => saved.get(save) ?? null)
  }

/** Takes what `CompletionInput` gave out. */
export const createCompletionSave = (tools: Pick<PgTools, 'run'>) => {
  const save = createCoalesced<Save, CompletionSaveResult>({
    keyOf: ({ input }) => JSON.stringify(identityOf(input)),
    single: createSaveOne(tools),
    batch: createSaveMany(tools),
  })
  return (input: Input, call: Call): Promise<CompletionSaveResult> => save({ input, id: call.id ?? null }, call)
}

interface ListRequest extends PageRequest {
  latest: boolean
  issueNumber: string | undefined
  project: string | null | undefined
}

type Place = z.output<typeof Cursor>

const placeOf = ({ seq, created_text, id }: sql.CompletionRow): Place => [seq, created_text, id]

const afterOf = (place: Place | null): sql.CompletionListShape['after'] =>
  place === null ? 'start' : place[0] === null ? 'unordered' : 'ordered'

/** Whether the page looked at all that it may look at with this row. */
const isCutAt = (row: sql.CompletionListRow | undefined): boolean => Number(row?.looked) === sql.maxLooked

const createList = ({ run }: PgTools) => {
  const look = async (request: ListRequest, call: Call) => {
    const { latest, issueNumber, project } = request
    const place = readCursor(request, Cursor)
    const given = [issueNumber, project].filter((value) => typeof value === 'string')
    const shape = {
      latest,
      issueNumber: issueNumber !== undefined,
      project: project === undefined ? 'any' : project === null ? 'none' : 'one',
    } as const
    const wanted = pageLimit(request) + 1
    if (!given.every(canExist)) return { rows: [], isCut: false }
    const after = afterOf(place)
    const rows = await run(
      sql.listCompletions({ ...shape, after }),
      [wanted, ...given, ...(place ?? []).filter((value) => value !== null)],
      call,
    )
    if (after !== 'ordered' || rows.length === wanted || isCutAt(rows.at(-1)))
      return { rows, isCut: isCutAt(rows.at(-1)) }
    const older = await run(sql.listCompletions({ ...shape, after: 'older' }), [wanted - rows.length, ...given], call)
    return { rows: [...rows, ...older], isCut: isCutAt(older.at(-1)) }
  }

  return async (request: ListRequest, call: Call): Promise<Page<Completion>> => {
    const { rows, isCut } = await look(request, call)
    const last = rows.at(-1)
    const found = rows.filter((row) => row.is_latest !== false)
    const page = makePage(found, request, { read: readRow, key: placeOf })
    return isCut && last && page.cursor === null ? { ...page, cursor: encodeCursor(placeOf(last)) } : page
  }
}

const lostRace = { owner: null, is_assigned: false, is_taken: false }

const createAssign =
  ({ run }: PgTools) =>
  async (key: string, project: string, call: Call): ReturnType<CompletionStore['assign']> => {
    checkName('project', project)
    if (!canExist(key)) return { status: 'absent' }
    for (;;) {
      const [found] = await run(sql.assignCompletion, [key, project], call).catch((error: unknown) => {
        // A save or an assignment just took that identity, and the next look sees it.
        if (sqlStateOf(error) === '23505') return [lostRace]
        throw error
      })
      if (!found) return { status: 'absent' }
      if (found.owner !== null) return { status: 'owned', project: found.owner }
      if (found.is_taken) return { status: 'taken' }
      if (found.is_assigned) return { status: 'assigned' }
    }
  }

export const createCompletions = (tools: PgTools): CompletionStore => {
  const { run, begin } = tools
  const save = createCompletionSave(tools)
  const list = createList(tools)
  const assign = createAssign(tools)

  const remove = async (key: string, { ifRev, ...call }: Call & { ifRev?: Rev | undefined }): Promise<DeleteResult> => {
    for (;;) {
      const [row] = canExist(key) ? await run(sql.loadCompletion, [key], call) : []
      if (!row) return { status: 'absent' }
      const current = readingRev(readRow(row))
      if (ifRev !== undefined && ifRev !== current) return { status: 'conflict', current }
      const gone = await run(sql.deleteCompletion, [row.id, hashOf(current), isUnreadableRev(current)], call)
      if (gone.length > 0) return { status: 'deleted' }
    }
  }

  return {
    async save(completion, options) {
      const call = begin(options)
      return save(parseInput(CompletionInput, completion, 'completion'), call)
    },
    async scan({ issueNumber, project, ...page } = {}, options) {
      return list({ ...page, latest: true, issueNumber, project }, begin(options))
    },
    async history(issueNumber, { project, ...page } = {}, options) {
      return list({ ...page, latest: false, issueNumber, project }, begin(options))
    },
    async assign(key, project, options) {
      return assign(key, project, begin(options))
    },
    async delete(key, options) {
      return remove(key, { ...begin(options), ifRev: options?.ifRev })
    },
  }
}
