import { type Backend, eachItem, type JsonObject } from '@nexus/core'
import { type Order, type Steered, steerWorkflow } from '@nexus/engine'
import { userName } from '../audit/audit.ts'
import { exit } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { withStores } from '../cli/with-stores.ts'
import { type BulkOptions, BulkResult, bulkText, type Chosen, changeSeveral, type Item } from './bulk.ts'
import type { WorkflowFilterOptions } from './workflow.ts'

export type OrderWord = Order['type']

interface Words {
  comment?: string
  by?: string
  step?: string
}
export type OrderOptions = Json & BulkOptions & WorkflowFilterOptions & Words

const orderOf = (type: OrderWord, { comment, by = userName(), step }: Words): Order => {
  const at = new Date().toISOString()
  const reason = comment ?? `${type === 'pause' ? 'paused' : 'cancelled'} by ${by}`
  switch (type) {
    case 'pause':
    case 'cancel':
      return { type, at, reason }
    case 'approve':
    case 'reject':
      return { type, at, by, comment: comment ?? null }
    case 'retry':
      return { type, at, step: step ?? null }
    case 'resume':
      return { type, at }
  }
}

/** What a filter means where it names no state. */
const usualState = {
  pause: 'running',
  resume: 'paused',
  approve: 'paused',
  reject: 'paused',
  retry: 'failed',
  cancel: 'running',
} as const satisfies Record<OrderWord, string>

async function* chosenFrom(
  { workflows }: Pick<Backend, 'workflows'>,
  filter: WorkflowFilterOptions,
): AsyncGenerator<Chosen> {
  for await (const { id, state, name } of eachItem((page) => workflows.list({ ...page, ...filter })))
    yield { id, label: `${id}  ${state}  ${name}` }
}

const itemOf = (id: string, steered: Steered): Item => ({
  id,
  ok: steered.status === 'done' || steered.status === 'requested',
  ...steered,
})

const line =
  (word: OrderWord) =>
  ({ id, status, state, reason }: Item): string => {
    switch (status) {
      case 'absent':
        return `There is no workflow ${id}. See: nexus-admin workflow ls`
      case 'refused':
        return `${id} stays as it is: ${reason}.`
      case 'requested':
        return `${id}: its host ends the agent and then the workflow.`
      case 'stranded':
        return `${id}: ${word} done; it is ${state} now, but nothing runs it: ${reason}.`
      default: {
        const isAgain = word === 'retry' && state === 'failed'
        return `${id}: ${word} done; it is ${state} now${isAgain ? ', and its task is in the inbox again' : ''}.`
      }
    }
  }

const givenOf = ({ comment, by, step }: Words): JsonObject => ({
  ...(comment !== undefined && { comment }),
  ...(by !== undefined && { by }),
  ...(step !== undefined && { step }),
})

/** A person's word on workflows: on those that are named, or those of a state or project. */
export const orderWorkflows =
  (word: OrderWord) =>
  async (ids: readonly string[], options: OrderOptions): Promise<void> => {
    const { state, project } = options
    const isFiltered = state !== undefined || project !== undefined
    const filter = { state: state ?? usualState[word], ...(project !== undefined && { project }) }
    const result = await withStores(({ root, stores }) =>
      changeSeveral({
        root,
        command: `workflow ${word}`,
        noun: 'workflows',
        given: { ...(isFiltered && filter), ...givenOf(options) },
        ids,
        choose: isFiltered ? () => chosenFrom(stores, filter) : null,
        change: async (id) => itemOf(id, await steerWorkflow(stores, id, orderOf(word, options))),
        options,
      }),
    )
    if (result === null || result.items.some(({ ok }) => !ok)) process.exitCode = exit.failed
    if (result) print(options, BulkResult, result, () => bulkText(result, { noun: 'workflows', line: line(word) }))
  }
