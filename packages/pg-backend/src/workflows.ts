import type {
  CallOptions,
  DeleteResult,
  Guard,
  Page,
  Rev,
  SaveResult,
  Workflow,
  WorkflowFilter,
  WorkflowStore,
} from '@nexus/core'
import {
  boundedCount,
  canExist,
  checkName,
  checkTransition,
  countCeiling,
  dateOf,
  encodeCursor,
  maxUpdateTries,
  pageLimit,
  parseInput,
  type Reading,
  readable,
  readCursor,
  terminalWorkflowStates,
  WorkflowInput,
  workflowDocument,
  workflowFromStored,
} from '@nexus/core'
import { z } from 'zod'
import { hashOf, isUnreadableRev, unreadableRev } from './rev.ts'
import { emptyPage, readDate, readJsonObject } from './rows.ts'
import * as sql from './statements/workflows.ts'
import type { Call, PgTools } from './tools.ts'

const Cursor = z.tuple([z.string(), z.string()])

type Input = z.output<typeof WorkflowInput>
type Saving = Call & Guard & { reopen?: boolean | undefined }

const readRow = (row: sql.WorkflowRow): Reading<Workflow> => {
  const document = readJsonObject(row.data)
  if (!document.ok) {
    const place = `nexus_workflows id=${row.id}`
    return { ok: false, corrupt: { name: row.id, place, reason: document.reason, rev: unreadableRev(row.hash) } }
  }
  const columns = {
    id: row.id,
    name: row.name,
    state: row.state,
    currentStep: row.current_step,
    createdAt: readDate(row.created_at),
    updatedAt: readDate(row.updated_at),
  }
  return { ok: true, item: { ...workflowFromStored(columns, document.value), rev: row.hash } }
}

const headRev = ({ doubtful, hash }: sql.WorkflowHead): Rev =>
  doubtful === null || readJsonObject(doubtful).ok ? hash : unreadableRev(hash)

const createRows = ({ run, clock }: PgTools) => {
  const head = async (id: string, call: Call): Promise<sql.WorkflowHead | null> =>
    canExist(id) ? ((await run(sql.loadWorkflowHead, [id], call))[0] ?? null) : null

  const read = async (id: string, call: Call): Promise<Reading<Workflow> | null> => {
    const [row] = canExist(id) ? await run(sql.loadWorkflow, [id], call) : []
    return row ? readRow(row) : null
  }

  /** The rev written, or null where another writer was faster. */
  const write = async (input: Input, present: sql.WorkflowHead | null, call: Call): Promise<Rev | null> => {
    const { id, name, state, currentStep, project, issueNumber, data } = input
    const updatedAt = new Date(clock.now())
    const earlier = present ? readDate(present.created_at) : dateOf(data['created_at'])
    const document = JSON.stringify(workflowDocument(input, { createdAt: earlier ?? updatedAt, updatedAt }))
    const values = [id, name, state, currentStep, document, project, issueNumber]
    if (!present) {
      const [row] = await run(sql.createWorkflow, [...values, earlier], call)
      return row?.hash ?? null
    }
    const statement = isUnreadableRev(headRev(present)) ? sql.replaceUnreadableWorkflow : sql.replaceWorkflow
    const [row] = await run(statement, [...values, present.hash], call)
    return row?.hash ?? null
  }

  return { head, read, write }
}

type Rows = ReturnType<typeof createRows>

const createSave =
  (rows: Rows) =>
  async (input: Input, { ifRev, reopen, ...call }: Saving): Promise<SaveResult> => {
    let current: Rev | null = null
    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      const present = await rows.head(input.id, call)
      if (!present) checkName('workflowId', input.id)
      current = present && headRev(present)
      if (ifRev !== undefined && ifRev !== current) return { status: 'conflict', current }
      // Unreadable data is not written over unseen; reading it says what is wrong with it.
      if (ifRev === undefined && current !== null && isUnreadableRev(current)) {
        const reading = await rows.read(input.id, call)
        if (reading) readable(reading)
      }
      checkTransition(input.id, present?.state ?? null, input.state, reopen)
      const rev = await rows.write(input, present, call)
      if (rev !== null) return { status: 'saved', rev }
    }
    return { status: 'conflict', current }
  }

/** What SQL cannot tell, because only the document says it; one that cannot be read says nothing. */
const matches = ({ project, updatedBefore }: WorkflowFilter, reading: Reading<Workflow>): boolean => {
  if (!reading.ok) return project === undefined && updatedBefore === undefined
  return project === undefined || reading.item.project === project
}

/** Rows that a filtered list looks at before it gives out what it has; the caller goes on with the cursor. */
const maxLooked = 10_000

const createList =
  ({ run }: PgTools) =>
  async (filter: WorkflowFilter, options: CallOptions): Promise<Page<Workflow>> => {
    const limit = pageLimit(filter)
    let after = readCursor(filter, Cursor)
    const page = emptyPage<Workflow>()
    /** Of the last record that fits on the page: the next one says whether there is another page. */
    let last: [string, string] | null = null
    const { state, project, updatedBefore } = filter
    const given = [state, project, updatedBefore].filter((value) => value !== undefined)
    if (!given.every((value) => value instanceof Date || canExist(value))) return page
    for (let looked = 0; ; ) {
      const statement = sql.listWorkflows({
        state: state !== undefined,
        project: project !== undefined,
        updatedBefore: updatedBefore !== undefined,
        after: after !== null,
      })
      const rows = await run(statement, [limit + 1, ...given, ...(after ?? [])], options)
      for (const row of rows) {
        const reading = readRow(row)
        after = [row.created_text, row.id]
        if (!matches(filter, reading)) continue
        if (last) return { ...page, cursor: encodeCursor(last) }
        if (reading.ok) page.items.push(reading.item)
        else page.corrupt.push(reading.corrupt)
        if (page.items.length + page.corrupt.length === limit) last = after
      }
      looked += rows.length
      if (rows.length <= limit) return page
      if (looked >= maxLooked && after) return { ...page, cursor: encodeCursor(last ?? after) }
    }
  }

export const createWorkflows = (tools: PgTools): WorkflowStore => {
  const { run, begin, checkOpen } = tools
  const rows = createRows(tools)
  const save = createSave(rows)
  const list = createList(tools)

  const remove = async (id: string, { ifRev, ...call }: Call & { ifRev?: Rev | undefined }): Promise<DeleteResult> => {
    for (;;) {
      const present = await rows.head(id, call)
      if (!present) return { status: 'absent' }
      const current = headRev(present)
      if (ifRev !== undefined && ifRev !== current) return { status: 'conflict', current }
      const gone = await run(sql.deleteWorkflow, [id, hashOf(current), isUnreadableRev(current)], call)
      if (gone.length > 0) return { status: 'deleted' }
    }
  }

  return {
    async save(workflow, options) {
      const call = { ...begin(options), ifRev: options?.ifRev, reopen: options?.reopen }
      return save(parseInput(WorkflowInput, workflow, 'workflow'), call)
    },
    async load(id, options) {
      const reading = await rows.read(id, begin(options))
      return reading && readable(reading)
    },
    async list(filter = {}, options = {}) {
      checkOpen(options)
      return list(filter, options)
    },
    async delete(id, options) {
      return remove(id, { ...begin(options), ifRev: options?.ifRev })
    },
    async counts(options) {
      const counted = await run(sql.countWorkflows, [countCeiling + 1], begin(options))
      const found = counted.filter(({ count }) => count > 0)
      return Object.fromEntries(
        found.map(({ state, count }) => [state, terminalWorkflowStates.includes(state) ? boundedCount(count) : count]),
      )
    },
  }
}
