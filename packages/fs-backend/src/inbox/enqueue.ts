import {
  type CallOptions,
  checkName,
  type EnqueueResult,
  EnqueueTask,
  type InboxStore,
  parseInput,
  StoreError,
} from '@nexus/core'
import type { InboxTools } from './inbox-tools.ts'
import { mapSome } from './places.ts'
import type { TaskRecord } from './record.ts'
import { identityKey } from './staging.ts'
import { foreignTwin, isIdentityHeld } from './twins.ts'

const enqueuedTogether = 16
const mostTurns = 20

interface NewTask {
  record: TaskRecord
  markdown: string
}

const readTask = ({ clock }: InboxTools, nextId: () => string, input: EnqueueTask): NewTask => {
  const { markdown, runAt, ...task } = parseInput(EnqueueTask, input, 'task')
  checkName('project', task.project)
  checkName('filename', task.filename)
  if (task.issueNumber !== null) checkName('issueNumber', task.issueNumber)
  const now = clock.now()
  const unused = { attempts: 0, recoveries: 0, error: null, cancelRequested: false, processedAt: null }
  return { markdown, record: { ...task, ...unused, id: nextId(), runAt: runAt?.getTime() ?? now, createdAt: now } }
}

export const createEnqueue = (tools: InboxTools): InboxStore['enqueue'] => {
  const { staging, identities, locate, taskIds } = tools

  /** The live holder of the identity, without writing anything. */
  const known = async (record: TaskRecord): Promise<string | null> => {
    const owner = await identities.owner(identityKey(record))
    if (owner !== null && (await isIdentityHeld(tools, record)(owner))) return owner
    return foreignTwin(tools, record)
  }

  const refuse = async ({ id }: TaskRecord, holder: string): Promise<EnqueueResult> => {
    await staging.discard(id)
    return { status: 'duplicate', id: holder }
  }

  /** Null where what was staged was cleaned away before its identity was registered: this process slept too long. */
  const enqueueOnce = async ({ record, markdown }: NewTask): Promise<EnqueueResult | null> => {
    const first = { id: record.id, version: 0 }
    await staging.write(record, markdown)
    const acquired = await identities.acquire(identityKey(record), first, isIdentityHeld(tools, record))
    if (acquired.status === 'taken') return refuse(record, acquired.id)
    // Looked for again once the name is ours: a twin that is being claimed has left its place, and registers no more.
    const twin = await foreignTwin(tools, record)
    if (twin !== null) {
      await identities.free(identityKey(record), first)
      return refuse(record, twin)
    }
    const isThere = (await staging.place(record, 0)) || (await locate(record.id)) !== null
    return isThere ? { status: 'enqueued', id: record.id } : null
  }

  const enqueueOne = async (task: NewTask): Promise<EnqueueResult> => {
    const holder = await known(task.record)
    if (holder !== null) return { status: 'duplicate', id: holder }
    for (let turn = 0; turn < mostTurns; turn += 1) {
      const record = turn === 0 ? task.record : { ...task.record, id: (await taskIds.open())() }
      const result = await enqueueOnce({ ...task, record })
      if (result) return result
    }
    throw new StoreError({ code: 'unavailable', message: 'The task was cleaned away while it was written.' })
  }

  return async (inputs, options?: CallOptions) => {
    tools.checkOpen(options)
    // All are read before the first is kept: a refused task means that nothing was written.
    const nextId = await taskIds.open()
    const tasks = inputs.map((input) => readTask(tools, nextId, input))
    const firsts = new Map<string, NewTask>()
    for (const task of tasks) if (!firsts.has(identityKey(task.record))) firsts.set(identityKey(task.record), task)
    const answers = new Map<NewTask, EnqueueResult>()
    await mapSome([...firsts.values()], enqueuedTogether, async (task) => {
      tools.checkOpen(options)
      answers.set(task, await enqueueOne(task))
    })
    return tasks.map((task) => {
      const first = firsts.get(identityKey(task.record)) ?? task
      const answer = answers.get(first) ?? { status: 'duplicate', id: first.record.id }
      return first === task ? answer : { status: 'duplicate', id: answer.id }
    })
  }
}
