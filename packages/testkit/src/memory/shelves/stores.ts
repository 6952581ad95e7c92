import {
  type CompletionRecord,
  compactJson,
  contentRev,
  type HostStateRecord,
  isJsonObject,
  parseJson,
  type Reading,
  type WorkflowRecord,
  workflowRecord,
} from '@nexus/core'
import type { CompletionRow, HostStateRow, MemoryData, WorkflowRow } from '../data.ts'
import { foundIn, pageByName, type Shelf } from './shelf.ts'

const unreadable = (name: string, place: string, text: string, reason: string): Reading<never> => ({
  ok: false,
  corrupt: { name, place: `memory ${place} ${name}`, reason, rev: contentRev(text) },
})

const readWorkflow = (row: WorkflowRow): Reading<WorkflowRecord> => {
  const reading = workflowRecord(row, row.text)
  return reading.ok ? { ok: true, item: reading.record } : unreadable(row.id, 'workflow', row.text, reading.reason)
}

export const workflowShelf = ({ workflows }: MemoryData): Shelf<'workflows'> => ({
  read: (page) => pageByName(workflows.values(), page, { name: ({ id }) => id, read: readWorkflow }),
  find(key) {
    const row = workflows.get(key)
    return foundIn(row ? readWorkflow(row) : null)
  },
  write({ id, name, state, currentStep, data, createdAt, updatedAt }) {
    workflows.set(id, { id, name, state, currentStep, text: data, createdAt, updatedAt })
  },
  remove(key) {
    workflows.delete(key)
  },
})

const readCompletion = ({ text, ...row }: CompletionRow): Reading<CompletionRecord> => {
  const parsed = parseJson(text)
  if (parsed.ok && isJsonObject(parsed.value)) return { ok: true, item: { ...row, data: compactJson(text) } }
  return unreadable(row.dedupKey, 'completion', text, parsed.ok ? 'is not a JSON object' : parsed.reason)
}

export const completionShelf = ({ completions, passOver }: MemoryData): Shelf<'completions'> => ({
  read: (page) => pageByName(completions.values(), page, { name: ({ dedupKey }) => dedupKey, read: readCompletion }),
  find(key) {
    const row = completions.get(key)
    return foundIn(row ? readCompletion(row) : null)
  },
  write({ data: text, ...fields }) {
    completions.set(fields.dedupKey, { ...fields, text })
    passOver(fields.seq ?? 0)
  },
  remove(key) {
    completions.delete(key)
  },
})

const readState = ([key, { text, updatedAt }]: [string, HostStateRow]): Reading<HostStateRecord> => {
  const parsed = parseJson(text)
  return parsed.ok
    ? { ok: true, item: { key, data: compactJson(text), updatedAt } }
    : unreadable(key, 'host state', text, parsed.reason)
}

export const hostStateShelf = ({ hostState }: MemoryData): Shelf<'hostState'> => ({
  read: (page) => pageByName(hostState, page, { name: ([key]) => key, read: readState }),
  find(key) {
    const row = hostState.get(key)
    return foundIn(row ? readState([key, row]) : null)
  },
  write({ key, data, updatedAt }) {
    hostState.set(key, { text: data, updatedAt })
  },
  remove(key) {
    hostState.delete(key)
  },
})
