import type {
  CompletionInput,
  JsonObject,
  Page,
  PageRequest,
  PatchResult,
  Rev,
  SaveResult,
  StoreError,
  StoreErrorCode,
  TaskFileInput,
  WorkflowInput,
} from '@nexus/core'
import { isStoreError } from '@nexus/core'
import { expect } from 'vitest'

export const aWorkflow = (given: Partial<WorkflowInput> = {}): WorkflowInput => ({
  id: 'alpha-7-full',
  name: 'Fix the login',
  state: 'pending',
  currentStep: 0,
  project: 'alpha',
  issueNumber: '7',
  data: { version: '1.0', steps: [{ step_num: 1, status: 'pending' }], metadata: { tier: 'full' } },
  ...given,
})

export const aCompletion = (given: Partial<CompletionInput> = {}): CompletionInput => ({
  project: 'alpha',
  issueNumber: '7',
  agentType: 'developer',
  status: 'complete',
  summary: 'Login fixed',
  payload: { summary: 'Login fixed', next_agent: 'reviewer' },
  reportId: 'attempt-1',
  ...given,
})

export const aTaskFile = (given: Partial<TaskFileInput> = {}): TaskFileInput => ({
  project: 'alpha',
  filename: 'login.md',
  content: '# Feature\n\nFix the login.\n',
  ...given,
})

/** An agent's report as a foreign program stores it: the columns, and the same words in the payload. */
export const aForeignCompletion = (given: { project?: string; issueNumber?: string; agentType?: string } = {}) => {
  const row = { project: 'alpha', issueNumber: '7', agentType: 'developer', ...given }
  const report: JsonObject = { agent_type: row.agentType, status: 'complete', summary: 'Done by hand', extra: [1, 2] }
  return { ...row, status: 'complete', summary: 'Done by hand', data: JSON.stringify(report), report }
}

/** The rev of a write that must have been made. */
export const savedRev = (result: SaveResult | PatchResult): Rev => {
  expect(result).toEqual({ status: 'saved', rev: expect.any(String) })
  return result.status === 'saved' ? result.rev : ''
}

/** What must be there. */
export const present = <T>(value: T | null | undefined): T => {
  expect(value ?? null, 'nothing is there').not.toBeNull()
  return value as T
}

/** The store error that the call must end with. */
export const refused = async (call: Promise<unknown>, code: StoreErrorCode): Promise<StoreError> => {
  const ended: unknown = await call.then(
    (value) => ({ answered: value }),
    (error: unknown) => error,
  )
  if (isStoreError(ended, code)) return ended
  throw new Error(`Expected a StoreError "${code}", and the call ended with ${describe(ended)}.`, { cause: ended })
}

const describe = (ended: unknown): string =>
  ended instanceof Error ? `${ended.name}: ${ended.message}` : (JSON.stringify(ended) ?? 'nothing')

/** Follows the cursors to the end, at most so many pages. */
export const everyPage = async <T>(
  list: (request: PageRequest) => Promise<Page<T>>,
  limit = 100,
  between: (page: number) => Promise<void> = async () => {},
): Promise<Pick<Page<T>, 'items' | 'corrupt'>> => {
  const all: Pick<Page<T>, 'items' | 'corrupt'> = { items: [], corrupt: [] }
  let cursor: string | undefined
  for (let pages = 1; ; pages++) {
    const page = await list({ limit, cursor })
    expect(page.items.length + page.corrupt.length).toBeLessThanOrEqual(limit)
    all.items.push(...page.items)
    all.corrupt.push(...page.corrupt)
    if (page.cursor === null) return all
    expect(pages, 'the list does not end').toBeLessThan(200)
    cursor = page.cursor
    await between(pages)
  }
}

/** How often each status was answered. */
export const statuses = (results: readonly { status: string }[]): Record<string, number> => {
  const counted: Record<string, number> = {}
  for (const { status } of results) counted[status] = (counted[status] ?? 0) + 1
  return counted
}
