import { expect, test } from 'vitest'
import {
  boundedCount,
  checkTransition,
  countCeiling,
  isStoreError,
  type JsonObject,
  workflowDocument,
  workflowFromStored,
  workflowStates,
} from '../src/index.ts'

const steps: Record<string, readonly string[]> = {
  pending: ['running', 'cancelled'],
  running: ['paused', 'completed', 'failed', 'cancelled'],
  paused: ['running', 'failed', 'cancelled'],
  completed: [],
  failed: ['running'],
  cancelled: ['running'],
}

const may = (from: string | null, to: string, reopen?: boolean): boolean => {
  try {
    checkTransition('w', from, to, reopen)
    return true
  } catch (error) {
    expect(isStoreError(error, 'invalid')).toBe(true)
    return false
  }
}

test('[C-WORKFLOW-3] every pair of states', () => {
  for (const from of workflowStates)
    for (const to of workflowStates)
      expect(may(from, to), `${from} → ${to}`).toBe(from === to || steps[from]?.includes(to))
})

test('[C-WORKFLOW-3] creation in any known state, and in no other', () => {
  for (const to of workflowStates) expect(may(null, to)).toBe(true)
  for (const to of ['', 'archived', 'Running', 'constructor', '__proto__']) expect(may(null, to)).toBe(false)
})

test('[C-WORKFLOW-3] from an unknown state anywhere known, or to stay', () => {
  for (const from of ['archived', 'toString', ''])
    for (const to of [...workflowStates, from]) expect(may(from, to)).toBe(true)
  expect(may('archived', 'lost')).toBe(false)
  for (const from of workflowStates) expect(may(from, 'archived')).toBe(false)
})

test('[C-WORKFLOW-4] reopening is one step more: completed to running', () => {
  for (const from of workflowStates)
    for (const to of workflowStates)
      expect(may(from, to, true)).toBe(may(from, to) || (from === 'completed' && to === 'running'))
})

test('[C-WORKFLOW-6] a count is exact up to the ceiling, and a floor beyond', () => {
  expect([0, 1, countCeiling].map(boundedCount)).toEqual([0, 1, countCeiling])
  expect(boundedCount(countCeiling + 1)).toEqual({ atLeast: 10_000 })
})

const stored: JsonObject = {
  name: 'Document',
  state: 'running',
  current_step: '2',
  project: 'alpha',
  issue_number: 7,
  created_at: '2026-01-02T03:04:05.123456+00:00',
  updated_at: '2026-01-02T03:04:06Z',
  unknown: [1],
}

test('[C-ALL-10] the column is the truth where it disagrees with the document', () => {
  const createdAt = new Date('2025-05-05T05:05:05Z')
  const columns = { id: 'w', name: 'Column', state: 'paused', currentStep: 5, createdAt, updatedAt: createdAt }
  expect(workflowFromStored(columns, { ...stored, id: 'other' })).toEqual({
    ...columns,
    project: 'alpha',
    issueNumber: '7',
    data: { ...stored, id: 'w', name: 'Column', state: 'paused', current_step: 5 },
  })
})

test('[C-ALL-10] a missing or null column takes the document’s value', () => {
  const read = {
    id: 'w',
    name: 'Document',
    state: 'running',
    currentStep: 2,
    createdAt: new Date('2026-01-02T03:04:05.123Z'),
    updatedAt: new Date('2026-01-02T03:04:06Z'),
  }
  expect(workflowFromStored({ id: 'w' }, stored)).toMatchObject(read)
  expect(workflowFromStored({ id: 'w', name: null, state: null, currentStep: null }, stored)).toMatchObject(read)
})

test('[C-ALL-10] where neither speaks there is a plain beginning', () => {
  for (const document of [{}, { name: [], state: {}, current_step: 'two', created_at: 'yesterday', project: false }])
    expect(workflowFromStored({ id: 'w' }, document)).toMatchObject({
      name: 'w',
      state: 'pending',
      currentStep: 0,
      project: null,
      issueNumber: null,
      createdAt: new Date(0),
      updatedAt: new Date(0),
    })
})

test('[C-ALL-10] what is written has the fields alike in columns and document, and the caller’s members', () => {
  const at = new Date('2026-01-02T03:04:05Z')
  const input = { id: 'w', name: 'Given', state: 'paused', currentStep: 3, project: 'alpha', issueNumber: null }
  const data = { ...stored, ...(JSON.parse('{"__proto__": 1}') as JsonObject) }
  const document = workflowDocument({ ...input, data }, { createdAt: at, updatedAt: at })
  expect(document).toMatchObject({ id: 'w', name: 'Given', state: 'paused', current_step: 3, project: 'alpha' })
  expect(document).toMatchObject({ unknown: [1], issue_number: null, updated_at: '2026-01-02T03:04:05.000Z' })
  expect(Object.hasOwn(document, '__proto__')).toBe(true)
  expect(workflowFromStored({ id: 'w' }, document)).toMatchObject({ ...input, createdAt: at, updatedAt: at })
})
