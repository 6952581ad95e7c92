import type { JsonObject, JsonValue } from './json.ts'
import type { Workflow, WorkflowInput } from './workflow.ts'

/** The columns of a stored workflow as its technology has them; null or absent where it has none. */
export interface WorkflowColumns {
  id: string
  name?: string | null | undefined
  state?: string | null | undefined
  currentStep?: number | null | undefined
  createdAt?: Date | null | undefined
  updatedAt?: Date | null | undefined
}

const text = (value: JsonValue | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : null

/** Any words, none at all as well. */
const words = (value: JsonValue | undefined): string | null => (value === '' ? '' : text(value))

const wholeNumber = (value: JsonValue | undefined): number | null => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) ? number : null
}

/** A date as stored documents write it (ISO 8601, any precision), or null. */
export const dateOf = (value: JsonValue | undefined): Date | null => {
  if (typeof value !== 'string') return null
  const date = new Date(value)
  return Number.isNaN(date.getTime()) ? null : date
}

/**
 * The workflow that columns and document make together: the column is the truth where both speak, the document where
 * the column is missing or null. [C-ALL-10]
 */
export const workflowFromStored = (columns: WorkflowColumns, document: JsonObject): Omit<Workflow, 'rev'> => {
  const name = columns.name ?? words(document['name']) ?? columns.id
  const state = columns.state ?? text(document['state']) ?? 'pending'
  const currentStep = columns.currentStep ?? wholeNumber(document['current_step']) ?? 0
  const createdAt = columns.createdAt ?? dateOf(document['created_at']) ?? new Date(0)
  const updatedAt = columns.updatedAt ?? dateOf(document['updated_at']) ?? createdAt
  return {
    id: columns.id,
    name,
    state,
    currentStep,
    project: text(document['project']),
    issueNumber: text(document['issue_number']),
    data: { ...document, id: columns.id, name, state, current_step: currentStep },
    createdAt,
    updatedAt,
  }
}

/** The document that is written: the caller's, with the fields it shares with the columns written alike. */
export const workflowDocument = (
  { id, name, state, currentStep, project, issueNumber, data }: WorkflowInput,
  stamps: { createdAt: Date; updatedAt: Date },
): JsonObject => ({
  ...data,
  id,
  name,
  state,
  current_step: currentStep,
  ...(project === undefined ? {} : { project }),
  ...(issueNumber === undefined ? {} : { issue_number: issueNumber }),
  created_at: stamps.createdAt.toISOString(),
  updated_at: stamps.updatedAt.toISOString(),
})
