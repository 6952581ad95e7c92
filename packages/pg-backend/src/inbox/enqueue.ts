import {
  type CallOptions,
  checkName,
  type EnqueueResult,
  EnqueueTask,
  maxUpdateTries,
  parseInput,
  StoreError,
} from '@nexus/core'
import { createCoalesced } from '../coalesce.ts'
import { enqueueTasks, findTasks } from '../statements/inbox-queue.ts'
import type { Call } from '../tools.ts'
import type { InboxTools } from './inbox-tools.ts'

const maxChunkRows = 2000
const maxChunkCharacters = 8 * 1024 * 1024
const bulkTimeoutMs = 30_000

type Task = ReturnType<typeof readTask>

const readTask = (input: EnqueueTask) => {
  const task = parseInput(EnqueueTask, input, 'task')
  checkName('project', task.project)
  checkName('filename', task.filename)
  if (task.issueNumber !== null) checkName('issueNumber', task.issueNumber)
  return task
}

const identityOf = ({ idempotencyKey, project, workspace, filename }: Task): string =>
  idempotencyKey === null ? JSON.stringify([project, workspace, filename]) : JSON.stringify(idempotencyKey)

function* chunksOf(tasks: Iterable<Task>): Generator<Task[]> {
  let chunk: Task[] = []
  let characters = 0
  for (const task of tasks) {
    if (chunk.length === maxChunkRows || (chunk.length > 0 && characters + task.markdown.length > maxChunkCharacters)) {
      yield chunk
      chunk = []
      characters = 0
    }
    chunk.push(task)
    characters += task.markdown.length
  }
  if (chunk.length > 0) yield chunk
}

const namesOf = (tasks: readonly Task[]): unknown[] => [
  tasks.map(({ project }) => project),
  tasks.map(({ workspace }) => workspace),
  tasks.map(({ filename }) => filename),
  tasks.map(({ idempotencyKey }) => idempotencyKey),
]

const valuesOf = (tasks: readonly Task[]): unknown[] => [
  ...namesOf(tasks),
  tasks.map(({ markdown }) => markdown),
  tasks.map(({ priority }) => priority),
  tasks.map(({ runAt }) => runAt ?? null),
  tasks.map(({ maxAttempts }) => maxAttempts),
  tasks.map(({ issueNumber }) => issueNumber),
]

/** Each statement has the whole time for itself. */
interface BulkCall extends CallOptions {
  timeoutMs: number
}

/** Stores tasks of different identities and says for each what became of it. [C-INBOX-1, C-INBOX-2] */
const createStoreChunk =
  ({ run, wake }: InboxTools) =>
  async (chunk: readonly Task[], call: Call | BulkCall): Promise<Map<Task, EnqueueResult>> => {
    const results = new Map<Task, EnqueueResult>()
    const note = (
      given: readonly Task[],
      rows: { nth: number; id: number | string | null }[],
      status: EnqueueResult['status'],
    ) => {
      for (const { nth, id } of rows) {
        const task = given[nth - 1]
        if (task && id !== null) results.set(task, { status, id: String(id) })
      }
    }
    let missing = chunk
    for (let tries = 0; missing.length > 0; tries += 1) {
      if (tries === maxUpdateTries)
        throw new StoreError({ code: 'unavailable', message: 'Others kept adding and removing the same tasks.' })
      note(missing, await run(enqueueTasks, valuesOf(missing), call), 'enqueued')
      wake(missing.filter((task) => results.has(task)).map(({ project }) => project))
      missing = missing.filter((task) => !results.has(task))
      if (missing.length > 0) note(missing, await run(findTasks, namesOf(missing), call), 'duplicate')
      // One that was in the way and is gone by now is no duplicate any more.
      missing = missing.filter((task) => !results.has(task))
    }
    return results
  }

export const createEnqueue = (tools: InboxTools) => {
  const storeChunk = createStoreChunk(tools)
  const storeMany = async (tasks: readonly Task[], call: Call): Promise<EnqueueResult[]> => {
    const results = await storeChunk(tasks, call)
    return tasks.flatMap((task) => results.get(task) ?? [])
  }
  const storeOne = createCoalesced<Task, EnqueueResult[]>({
    keyOf: identityOf,
    single: (task, call) => storeMany([task], call),
    batch: async (tasks, call) => (await storeMany(tasks, call)).map((result) => [result]),
  })

  return async (inputs: readonly EnqueueTask[], { signal }: CallOptions): Promise<EnqueueResult[]> => {
    const tasks = inputs.map(readTask)
    const [only] = tasks
    if (only && tasks.length === 1) return storeOne(only, tools.begin({ signal }))
    const first = new Map<string, Task>()
    for (const task of tasks) if (!first.has(identityOf(task))) first.set(identityOf(task), task)
    const stored = new Map<Task, EnqueueResult>()
    for (const chunk of chunksOf(first.values()))
      for (const [task, result] of await storeChunk(chunk, { signal, timeoutMs: bulkTimeoutMs }))
        stored.set(task, result)
    return tasks.map((task) => {
      const own = stored.get(task)
      if (own) return own
      const twin = first.get(identityOf(task))
      return { status: 'duplicate', id: (twin && stored.get(twin)?.id) ?? '' }
    })
  }
}
