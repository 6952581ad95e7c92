import { boundedCount, encodeCursor, type InboxStore, pageLimit, readCursor } from '@nexus/core'
import { z } from 'zod'
import { toTask } from './inbox-data.ts'
import type { MemoryInboxTools } from './inbox-tools.ts'

export type ReadVerbs = Pick<InboxStore, 'load' | 'counts' | 'oldestDue' | 'list'>

/** The sequence number that the page before ended with. */
const Cursor = z.tuple([z.number()])

export const createReadVerbs = ({ data, clock, checkOpen }: MemoryInboxTools): ReadVerbs => ({
  async load(id, options) {
    checkOpen(options)
    const row = data.rows.get(id)
    return row ? toTask(row) : null
  },

  async counts(options) {
    checkOpen(options)
    const counted = (status: string): number => [...data.rows.values()].filter((row) => row.status === status).length
    return {
      pending: counted('pending'),
      processing: counted('processing'),
      done: boundedCount(counted('done')),
      failed: boundedCount(counted('failed')),
    }
  },

  async oldestDue(options) {
    checkOpen(options)
    const due = [...data.rows.values()].filter((row) => row.status === 'pending').map((row) => row.runAt)
    const oldest = Math.min(...due)
    return oldest <= clock.now() ? new Date(oldest) : null
  },

  async list(filter = {}, options) {
    checkOpen(options)
    const limit = pageLimit(filter)
    const [before] = readCursor(filter, Cursor) ?? [Number.POSITIVE_INFINITY]
    const found = [...data.rows.values()]
      .filter(
        (row) =>
          row.sequence < before &&
          (filter.status === undefined || row.status === filter.status) &&
          (filter.project === undefined || row.project === filter.project),
      )
      .sort((a, b) => b.sequence - a.sequence)
    const page = found.slice(0, limit)
    const last = page.at(-1)
    return {
      items: page.map(toTask),
      corrupt: [],
      cursor: last && found.length > limit ? encodeCursor([last.sequence]) : null,
    }
  },
})
