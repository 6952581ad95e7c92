import { eachItem } from '@nexus/core'
import type { HostTools } from '../host-tools.ts'
import { endCancelled } from '../task/end-cancelled.ts'
import type { Availability } from './availability.ts'

/** Tasks whose holders are gone and whose cancel the inbox may have carried out when it took them from there. */
export const createCancelled = (tools: HostTools, availability: Availability) => {
  const suspects = new Set<string>()
  const add = (ids: readonly string[]): void => {
    for (const id of ids) suspects.add(id)
  }

  const listed = async (): Promise<string[]> => {
    const ids: string[] = []
    for await (const task of eachItem((page) => tools.stores.inbox.list({ ...page, status: 'processing' })))
      if (task.cancelRequested) ids.push(task.id)
    return ids
  }

  return {
    add,
    /** Before tasks are taken over: of those that are cancelled then, nobody tells. */
    async lookOut(): Promise<void> {
      add((await availability.attempt('list', listed)) ?? [])
    },
    /** Ends the workflows of those that are over. */
    async settle(): Promise<void> {
      for (const id of suspects)
        if ((await availability.attempt('cancelled tasks', () => endCancelled(tools, id))) !== null) suspects.delete(id)
    },
  }
}
