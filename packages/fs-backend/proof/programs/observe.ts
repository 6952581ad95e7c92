import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Backend, isStoreError, type JsonValue, type Page, type PageRequest } from '@nexus/core'
import { valueIn } from './operations.ts'

/** Every record that the stores show, each with all the values it appears with, and what they call corrupt. */
export interface Observation {
  records: Map<string, string[]>
  corrupt: string[]
}

export const allOf = async <T>(
  list: (request: PageRequest) => Promise<Page<T>>,
): Promise<{ items: T[]; corrupt: string[] }> => {
  const items: T[] = []
  const corrupt: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Page<T> = await list({ limit: 1000, ...(cursor ? { cursor } : {}) })
    items.push(...page.items)
    corrupt.push(...page.corrupt.map(({ place }) => place))
    cursor = page.cursor
  }
  return { items, corrupt }
}

const member = (value: JsonValue | undefined): JsonValue | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value['value'] : value

const mirrorOf = async (root: string): Promise<string | null> => {
  const path = join(root, 'tasks', 'alpha', 'completions', 'completion_summary_1.json')
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return valueIn(member(JSON.parse(text) as JsonValue))
  } catch {
    return 'torn'
  }
}

type Note = (record: string, value: string) => void

const observeState = async ({ hostState, workflows }: Backend, note: Note): Promise<string[]> => {
  const keys = await allOf((request) => hostState.keys(request))
  const flows = await allOf((request) => workflows.list(request))
  const corrupt = [...keys.corrupt, ...flows.corrupt]
  for (const key of keys.items) {
    try {
      const entry = await hostState.load(key)
      if (entry) note(`state/${key}`, valueIn(member(entry.value)))
    } catch (error) {
      if (!isStoreError(error, 'corrupt')) throw error
      corrupt.push(error.place ?? key)
    }
  }
  for (const { id, data } of flows.items) note(`workflow/${id}`, valueIn(data['value']))
  return corrupt
}

const observeCompletions = async ({ completions }: Backend, root: string, note: Note): Promise<string[]> => {
  const latest = await allOf((request) => completions.scan(request))
  const history = await allOf((request) => completions.history('1', request))
  for (const { issueNumber, agentType, summary, payload } of latest.items) {
    if (Number(issueNumber) > 1) note(`drop/${issueNumber}`, valueIn(payload['summary'] ?? summary))
    else if (history.items[0]?.agentType === agentType) note('latest/1', valueIn(summary))
    else note('latest/1', `scan says ${agentType}, history ${history.items[0]?.agentType}`)
  }
  for (const { agentType, payload } of history.items) note(`completion/${agentType}`, valueIn(payload['value']))
  const mirror = await mirrorOf(root)
  if (mirror !== null) note('mirror/1', mirror)
  return [...latest.corrupt, ...history.corrupt]
}

const observeTasks = async ({ taskFiles, inbox }: Backend, note: Note): Promise<string[]> => {
  const files = await allOf((request) => taskFiles.list(request))
  const tasks = await allOf((request) => inbox.list(request))
  for (const { filename, state, content } of files.items) note(`task/${filename}`, `${state} ${valueIn(content)}`)
  for (const { project, filename, status, issueNumber, markdown } of tasks.items) {
    const isWhole = valueIn(markdown) === `${filename} ${project.slice(1)}`
    note(
      `inbox/${project}/${filename}`,
      isWhole ? [status, ...(issueNumber ? [`#${issueNumber}`] : [])].join(' ') : 'torn',
    )
  }
  return [...files.corrupt, ...tasks.corrupt]
}

export const observe = async (backend: Backend, root: string): Promise<Observation> => {
  const records = new Map<string, string[]>()
  const note: Note = (record, value) => void records.set(record, [...(records.get(record) ?? []), value])
  const corrupt = [
    ...(await observeState(backend, note)),
    ...(await observeCompletions(backend, root, note)),
    ...(await observeTasks(backend, note)),
  ]
  return { records, corrupt }
}
