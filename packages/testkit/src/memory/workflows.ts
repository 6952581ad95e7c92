import type { Count, Workflow, WorkflowFilter, WorkflowStore } from '@nexus/core'
import {
  boundedCount,
  checkName,
  checkTransition,
  contentRev,
  dateOf,
  deleteRefusal,
  isJsonObject,
  makePage,
  parseInput,
  parseJson,
  type Reading,
  readable,
  readCursor,
  refusal,
  terminalWorkflowStates,
  WorkflowInput,
  workflowDocument,
  workflowFromStored,
} from '@nexus/core'
import { z } from 'zod'
import type { WorkflowRow } from './data.ts'
import type { MemoryTools } from './tools.ts'

const Cursor = z.tuple([z.number(), z.string()])

const readRow = (row: WorkflowRow): Reading<Workflow> => {
  const rev = contentRev(row.id, row.name, row.state, row.currentStep, row.text)
  const parsed = parseJson(row.text)
  if (parsed.ok && isJsonObject(parsed.value))
    return { ok: true, item: { ...workflowFromStored(row, parsed.value), rev } }
  const reason = parsed.ok ? 'is not a JSON object' : parsed.reason
  return { ok: false, corrupt: { name: row.id, place: `memory workflow ${row.id}`, reason, rev } }
}

const stateOf = (row: WorkflowRow): string | null => {
  const reading = readRow(row)
  return reading.ok ? reading.item.state : row.state
}

const matches =
  ({ state, project, updatedBefore }: WorkflowFilter) =>
  (row: WorkflowRow): boolean => {
    const reading = readRow(row)
    if (!reading.ok)
      return (state === undefined || state === row.state) && project === undefined && updatedBefore === undefined
    const workflow = reading.item
    return (
      (state === undefined || workflow.state === state) &&
      (project === undefined || workflow.project === project) &&
      (updatedBefore === undefined || workflow.updatedAt < updatedBefore)
    )
  }

const newestFirst = (a: WorkflowRow, b: WorkflowRow): number =>
  b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1)

const isAfter =
  (cursor: z.output<typeof Cursor> | null) =>
  ({ createdAt, id }: WorkflowRow): boolean =>
    cursor === null || createdAt.getTime() < cursor[0] || (createdAt.getTime() === cursor[0] && id < cursor[1])

export const createMemoryWorkflows = ({ data, context, checkOpen }: MemoryTools): WorkflowStore => {
  const read = (id: string): Reading<Workflow> | null => {
    const row = data.workflows.get(id)
    return row ? readRow(row) : null
  }

  const write = (input: z.output<typeof WorkflowInput>): Workflow['rev'] => {
    const { id, name, state, currentStep } = input
    const updatedAt = new Date(context.clock.now())
    const present = data.workflows.get(id)
    const reading = read(id)
    if (present && reading && !reading.ok) data.kept.push({ place: reading.corrupt.place, text: present.text })
    const earlier = reading?.ok ? reading.item.createdAt : present?.createdAt
    const createdAt = earlier ?? dateOf(input.data['created_at']) ?? updatedAt
    const text = JSON.stringify(workflowDocument(input, { createdAt, updatedAt }))
    data.workflows.set(id, { id, name, state, currentStep, text, createdAt, updatedAt })
    return contentRev(id, name, state, currentStep, text)
  }

  return {
    async save(workflow, options = {}) {
      checkOpen(options)
      const input = parseInput(WorkflowInput, workflow, 'workflow')
      const present = data.workflows.get(input.id)
      if (!present) checkName('workflowId', input.id)
      const refused = refusal(read(input.id), options.ifRev)
      if (refused) return refused
      checkTransition(input.id, present ? stateOf(present) : null, input.state, options.reopen)
      return { status: 'saved', rev: write(input) }
    },
    async load(id, options) {
      checkOpen(options)
      return readable(read(id))
    },
    async list(filter = {}, options) {
      checkOpen(options)
      const cursor = readCursor(filter, Cursor)
      const rows = [...data.workflows.values()].filter(matches(filter)).filter(isAfter(cursor)).sort(newestFirst)
      return makePage(rows, filter, { read: readRow, key: ({ createdAt, id }) => [createdAt.getTime(), id] })
    },
    async delete(id, options) {
      checkOpen(options)
      const refused = deleteRefusal(read(id), options?.ifRev)
      if (refused) return refused
      data.workflows.delete(id)
      return { status: 'deleted' }
    },
    async counts(options) {
      checkOpen(options)
      const counted = new Map<string, number>()
      for (const row of data.workflows.values()) {
        const state = stateOf(row)
        if (state !== null) counted.set(state, (counted.get(state) ?? 0) + 1)
      }
      const count = (state: string, n: number): Count => (terminalWorkflowStates.includes(state) ? boundedCount(n) : n)
      return Object.fromEntries([...counted].map(([state, n]) => [state, count(state, n)]))
    },
  }
}
