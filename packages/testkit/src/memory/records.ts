import { checkCount, type Records, readRecords, type StoreName } from '@nexus/core'
import { inboxShelf } from './shelves/inbox.ts'
import type { Shelf } from './shelves/shelf.ts'
import { completionShelf, hostStateShelf, workflowShelf } from './shelves/stores.ts'
import { taskFileShelf } from './shelves/task-files.ts'
import type { MemoryTools } from './tools.ts'

/** Whole records of the memory backend: each store is a shelf of rows. */
export const createMemoryRecords = ({ data, checkOpen }: MemoryTools): Records => {
  const shelves: { readonly [S in StoreName]: Shelf<S> } = {
    workflows: workflowShelf(data),
    completions: completionShelf(data),
    hostState: hostStateShelf(data),
    taskFiles: taskFileShelf(data),
    inbox: inboxShelf(data),
  }
  return {
    async read(store, page = {}, options) {
      checkOpen(options)
      return shelves[store].read(page)
    },
    async find(store, keys, options) {
      checkOpen(options)
      checkCount(keys.length)
      return [...new Set(keys)].map((key) => shelves[store].find(key)).filter((record) => record !== null)
    },
    async write(store, records, options) {
      checkOpen(options)
      for (const record of readRecords(store, records)) shelves[store].write(record)
    },
    async remove(store, keys, options) {
      checkOpen(options)
      checkCount(keys.length)
      for (const key of keys) shelves[store].remove(key)
    },
    async moved(options) {
      checkOpen(options)
      return [...data.moved.values()].filter(({ store }) => options?.stores?.includes(store) ?? true)
    },
    async markMoved(moved, options) {
      checkOpen(options)
      const over = [undefined, ...(options?.over ?? [])]
      const inTheWay = moved.flatMap(({ store, by }) => {
        const present = data.moved.get(store)
        return present && present.by !== by && !over.includes(present.by) ? [present] : []
      })
      if (inTheWay.length === 0) for (const mark of moved) data.moved.set(mark.store, mark)
      return inTheWay
    },
    async identity(options) {
      checkOpen(options)
      return data.identity
    },
    async unmarkMoved(stores, options) {
      checkOpen(options)
      for (const store of stores) data.moved.delete(store)
    },
  }
}
