import { type Backend, eachItem } from '@nexus/core'
import { linkedTask, steerWorkflow } from '@nexus/engine'
import { exit } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { type Place, withStores } from '../cli/with-stores.ts'
import { type BulkOptions, BulkResult, bulkText, type Chosen, changeSeveral, type Item } from './bulk.ts'
import type { InboxFilterOptions } from './inbox.ts'

type Word = 'requeue' | 'retry' | 'cancel'
export type InboxChangeOptions = Json & BulkOptions & InboxFilterOptions & { step?: string }

/** What a filter means where it names no status. */
const usualStatus = { requeue: 'failed', retry: 'failed', cancel: 'pending' } as const satisfies Record<Word, string>

async function* chosenFrom({ inbox }: Pick<Backend, 'inbox'>, filter: InboxFilterOptions): AsyncGenerator<Chosen> {
  for await (const { id, project, filename, status, error } of eachItem((page) => inbox.list({ ...page, ...filter })))
    yield { id, label: `${id}  ${project}/${filename}  ${status}${error === null ? '' : `  ${error}`}` }
}

const requeue = async ({ inbox }: Pick<Backend, 'inbox'>, id: string): Promise<Item> => {
  const answer = await inbox.requeue(id)
  switch (answer.status) {
    case 'requeued':
      return { id, status: 'requeued', ok: true }
    case 'absent':
      return { id, status: 'absent', ok: false }
    case 'duplicate':
      return { id, status: 'duplicate', ok: false, reason: `task ${answer.id} has taken its place` }
    case 'refused':
      return { id, status: 'refused', ok: false, reason: `it is ${answer.is}` }
  }
}

const cancel = async ({ inbox }: Pick<Backend, 'inbox'>, id: string): Promise<Item> => {
  const answer = await inbox.cancel(id)
  if (answer.status === 'refused') return { id, status: 'refused', ok: false, reason: `it is ${answer.is}` }
  return { id, status: answer.status, ok: answer.status !== 'absent' }
}

/** The failed workflows by the task that each works for; of one project where one is named. */
const failedWorkflows = async (
  { workflows }: Pick<Backend, 'workflows'>,
  project?: string,
): Promise<Map<string, string>> => {
  const byTask = new Map<string, string>()
  for await (const workflow of eachItem((page) => workflows.list({ ...page, state: 'failed', project }))) {
    const task = linkedTask(workflow)
    if (task !== null) byTask.set(task, workflow.id)
  }
  return byTask
}

/** A failed task and its workflow, from where that stands or from a step. */
const createRetry = async ({ stores }: Place, { project, step }: InboxChangeOptions) => {
  const workflows = await failedWorkflows(stores, project)
  return async (id: string): Promise<Item> => {
    const workflow = workflows.get(id)
    if (workflow === undefined) return requeue(stores, id)
    const at = new Date().toISOString()
    const answer = await steerWorkflow(stores, workflow, { type: 'retry', at, step: step ?? null })
    if (answer.status === 'done') return { id, status: 'retried', ok: true, state: answer.state }
    const reason = 'reason' in answer ? `workflow ${workflow}: ${answer.reason}` : `workflow ${workflow} is gone`
    return { id, status: answer.status, ok: false, reason }
  }
}

const words = {
  requeued: 'pending again',
  retried: 'pending again, with its workflow',
  cancelled: 'cancelled',
  requested: 'its holder is asked to stop',
}

const line = ({ id, status, reason }: Item): string => {
  if (status === 'absent') return `There is no task ${id}. See: nexus-admin inbox ls`
  if (reason !== undefined) return `${id} stays as it is: ${reason}.`
  return `${id}: ${Object.hasOwn(words, status) ? words[status as keyof typeof words] : status}.`
}

const changeOf = async (
  word: Word,
  place: Place,
  options: InboxChangeOptions,
): Promise<(id: string) => Promise<Item>> => {
  if (word === 'retry') return createRetry(place, options)
  return word === 'requeue' ? (id) => requeue(place.stores, id) : (id) => cancel(place.stores, id)
}

/** `inbox requeue`, `retry` and `cancel`: the tasks that are named, or those of a status or project. */
export const changeTasks =
  (word: Word) =>
  async (ids: readonly string[], options: InboxChangeOptions): Promise<void> => {
    const { status, project, step } = options
    const isFiltered = status !== undefined || project !== undefined
    const filter = { status: status ?? usualStatus[word], ...(project !== undefined && { project }) }
    const result = await withStores(async (place) =>
      changeSeveral({
        root: place.root,
        command: `inbox ${word}`,
        noun: 'tasks',
        given: { ...(isFiltered && filter), ...(step !== undefined && { step }) },
        ids,
        choose: isFiltered ? () => chosenFrom(place.stores, filter) : null,
        change: await changeOf(word, place, options),
        options,
      }),
    )
    if (result === null || result.items.some(({ ok }) => !ok)) process.exitCode = exit.failed
    if (result) print(options, BulkResult, result, () => bulkText(result, { noun: 'tasks', line }))
  }
