import { checkCount, type Moved, type Records, readRecords, type StoreName, type Stores, storeNames } from '@nexus/core'
import type { Drops } from '../completions/drops.ts'
import type { Mirror } from '../completions/mirror.ts'
import type { Seen } from '../completions/seen.ts'
import { begun } from '../fs-errors.ts'
import { readIdentity } from '../identity.ts'
import type { FsTools } from '../tools.ts'
import { createCompletionRecords } from './completions.ts'
import { createHostStateRecords } from './host-state.ts'
import { createInboxRecords } from './inbox.ts'
import { createNames } from './names.ts'
import type { RecordsOf } from './store-records.ts'
import { createTaskFileRecords } from './task-files.ts'
import { createWorkflowRecordsOf } from './workflows.ts'

interface RecordsParts {
  /** As they are without a thought of who moved away. */
  stores: Stores
  seen: Seen
  drops: Drops
  mirror: Mirror
}

/** Whole records in the documented layout. They are there whichever stores have moved away. [C-MOVE-1..9] */
export const createRecords = (tools: FsTools, { stores, ...mailbox }: RecordsParts): Records => {
  const { marks, checkOpen } = tools
  const names = createNames(tools.listing)
  const records: { readonly [S in StoreName]: RecordsOf<S> } = {
    workflows: createWorkflowRecordsOf(tools, names, stores.workflows),
    completions: createCompletionRecords(tools, names, { ...mailbox, completions: stores.completions }),
    hostState: createHostStateRecords(tools, names, stores.hostState),
    taskFiles: createTaskFileRecords(tools, names),
    inbox: createInboxRecords(tools),
  }
  return {
    async read(store, page = {}, options) {
      checkOpen(options)
      return records[store].read(page, options)
    },
    async find(store, keys, options) {
      checkOpen(options)
      checkCount(keys.length)
      return records[store].find([...new Set(keys)], options)
    },
    async write(store, given, options) {
      checkOpen(options)
      const read = readRecords(store, given)
      await begun(() => records[store].write(read, options))
    },
    async remove(store, keys, options) {
      checkOpen(options)
      checkCount(keys.length)
      await begun(() => records[store].remove([...new Set(keys)], options))
    },
    async moved(options) {
      checkOpen(options)
      return (options?.stores ?? storeNames).flatMap((store) => marks.present(store) ?? [])
    },
    async markMoved(moved, options) {
      checkOpen(options)
      const over = options?.over ?? []
      const before = moved.flatMap((mark) => marks.inTheWay(mark, over) ?? [])
      if (before.length > 0) return before
      const inTheWay: Moved[] = []
      for (const mark of moved) {
        const other = await marks.mark(mark, over)
        if (other) inTheWay.push(other)
      }
      return inTheWay
    },
    async identity(options) {
      checkOpen(options)
      return readIdentity(tools)
    },
    async unmarkMoved(gone, options) {
      checkOpen(options)
      for (const store of gone) await marks.unmark(store)
    },
  }
}
