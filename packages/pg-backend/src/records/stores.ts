import {
  type CompletionRecord,
  compactJson,
  type HostStateRecord,
  jsonTextProblem,
  type Page,
  type PageRequest,
  type Reading,
  type Rev,
  type WorkflowRecord,
  workflowRecord,
} from '@nexus/core'
import { z } from 'zod'
import type { RunStatement, Statement } from '../query.ts'
import { unreadableRev } from '../rev.ts'
import { readDate } from '../rows.ts'
import type { Row } from '../session.ts'
import { loadCompletion } from '../statements/completions.ts'
import { loadHostState } from '../statements/host-state.ts'
import * as sql from '../statements/records.ts'
import { loadWorkflow } from '../statements/workflows.ts'
import type { Call } from '../tools.ts'
import { columnsOf, type Listing, ownersOf, readableOf, readPage, type Shelf } from './shelf.ts'

const Names = z.tuple([z.string()])
const Numbers = z.tuple([z.int32()])

/** Its rev is asked for when the page is whole: hashing every row for it would cost more than reading them. */
const unreadable = (name: string, place: string, reason: string): Reading<never> => ({
  ok: false,
  corrupt: { name, place, reason, rev: '' },
})

/** By the statement with which its store loads it; one that is gone by now has none. */
const revBy =
  (load: Statement<{ hash: string }>) =>
  async (run: RunStatement, name: string, call: Call): Promise<Rev> =>
    unreadableRev((await run(load, [name], call))[0]?.hash ?? '')

/** Pages as listed, and rows by their own keys. */
const readingBy = <R extends Row, T>(found: Statement<R>, listing: Listing<R, T>) => ({
  read: (run: RunStatement, request: PageRequest, call: Call): Promise<Page<T>> =>
    readPage(run, listing, request, call),
  find: async (run: RunStatement, keys: readonly string[], call: Call): Promise<T[]> =>
    readableOf(await run(found, [keys], call), listing.read),
})

const readWorkflow = (row: sql.WorkflowRecordRow): Reading<WorkflowRecord> => {
  const { id, name, state, current_step: currentStep, data } = row
  const times = { createdAt: readDate(row.created_at), updatedAt: readDate(row.updated_at) }
  const reading = workflowRecord({ id, name, state, currentStep, ...times }, data)
  return reading.ok ? { ok: true, item: reading.record } : unreadable(id, `nexus_workflows id=${id}`, reading.reason)
}

export const workflowShelf: Shelf<'workflows'> = {
  ...readingBy(sql.findWorkflows, {
    statement: sql.pageWorkflows,
    cursor: Names,
    key: ({ id }) => id,
    read: readWorkflow,
    rev: revBy(loadWorkflow),
  }),
  problem: () => null,
  async write(run, how, records, call) {
    const values = columnsOf(records, [
      ({ id }) => id,
      ({ name }) => name,
      ({ state }) => state,
      ({ currentStep }) => currentStep,
      ({ data }) => data,
      ({ project }) => project,
      ({ issueNumber }) => issueNumber,
      ({ createdAt }) => createdAt,
      ({ updatedAt }) => updatedAt,
    ])
    await run(sql.writeWorkflows[how], values, call)
  },
  async displace() {},
  async remove(run, keys, call) {
    await run(sql.removeWorkflows, [keys], call)
  },
}

const readCompletion = (row: sql.CompletionRecordRow): Reading<CompletionRecord> => {
  const problem = jsonTextProblem(row.data, 'object')
  if (problem !== null) return unreadable(row.dedup_key, `nexus_completions dedup_key=${row.dedup_key}`, problem)
  const createdAt = readDate(row.created_at) ?? new Date(0)
  const item: CompletionRecord = {
    dedupKey: row.dedup_key,
    project: row.project,
    issueNumber: row.issue_number,
    agentType: row.agent_type,
    status: row.status,
    summary: row.summary_text,
    reportId: row.report_id,
    data: compactJson(row.data),
    seq: row.seq === null ? null : Number(row.seq),
    createdAt,
    savedAt: readDate(row.updated_at) ?? createdAt,
  }
  return { ok: true, item }
}

const identityOf = ({ project, issueNumber, agentType, status }: CompletionRecord): string | null =>
  project === null ? null : JSON.stringify([project, issueNumber, agentType, status])

const identityColumns = [
  ({ project }: CompletionRecord) => project,
  ({ issueNumber }: CompletionRecord) => issueNumber,
  ({ agentType }: CompletionRecord) => agentType,
  ({ status }: CompletionRecord) => status,
]

export const completionShelf: Shelf<'completions'> = {
  ...readingBy(sql.findCompletions, {
    statement: sql.pageCompletions,
    cursor: Numbers,
    key: ({ id }) => id,
    read: readCompletion,
    rev: revBy(loadCompletion),
  }),
  problem: () => null,
  async write(run, how, records, call) {
    const owners = ownersOf(records, identityOf)
    const values = columnsOf(records, [
      ({ dedupKey }) => dedupKey,
      ...identityColumns,
      ({ summary }) => summary,
      ({ reportId }) => reportId,
      ({ data }) => data,
      ({ seq }) => seq,
      ({ createdAt }) => createdAt,
      ({ savedAt }) => savedAt,
      (record) => owners.has(record),
    ])
    await run(sql.writeCompletions[how], [...values, Math.max(...records.map(({ seq }) => seq ?? 0))], call)
  },
  async displace(run, records, call) {
    await run(sql.displaceCompletions, columnsOf(records, identityColumns), call)
  },
  async remove(run, keys, call) {
    await run(sql.removeCompletions, [keys], call)
  },
}

const readState = ({ key, data, updated_at }: sql.HostStateRecordRow): Reading<HostStateRecord> => {
  const problem = jsonTextProblem(data)
  if (problem !== null) return unreadable(key, `nexus_host_state key=${key}`, problem)
  return { ok: true, item: { key, data: compactJson(data), updatedAt: readDate(updated_at) ?? new Date(0) } }
}

export const hostStateShelf: Shelf<'hostState'> = {
  ...readingBy(sql.findHostState, {
    statement: sql.pageHostState,
    cursor: Names,
    key: ({ key }) => key,
    read: readState,
    rev: revBy(loadHostState),
  }),
  problem: () => null,
  async write(run, how, records, call) {
    const values = columnsOf(records, [({ key }) => key, ({ data }) => data, ({ updatedAt }) => updatedAt])
    await run(sql.writeHostState[how], values, call)
  },
  async displace() {},
  async remove(run, keys, call) {
    await run(sql.removeHostState, [keys], call)
  },
}
