import {
  boundedCount,
  canExist,
  countCeiling,
  type InboxStatus,
  type InboxStore,
  inboxStatuses,
  makePage,
  pageLimit,
  readCursor,
} from '@nexus/core'
import { z } from 'zod'
import { emptyPage } from '../rows.ts'
import { countTasks, listTasks, loadTask, oldestDue } from '../statements/inbox.ts'
import type { InboxTools } from './inbox-tools.ts'
import { readTask, readTime } from './rows.ts'
import { placeOf } from './task-ids.ts'

export type ReadVerbs = Pick<InboxStore, 'load' | 'counts' | 'oldestDue' | 'list'>

/** The id that the page before ended with: ids are given in the order of enqueueing. */
const Cursor = z.tuple([z.int32()])

const shapeOf = (status: string | undefined): InboxStatus | 'any' | 'other' =>
  status === undefined ? 'any' : (inboxStatuses.find((known) => known === status) ?? 'other')

export const createReadVerbs = ({ run, begin }: InboxTools): ReadVerbs => ({
  async load(id, options) {
    const call = begin(options)
    const place = await placeOf(run, id, call)
    if (place === null) return null
    const [row] = await run(loadTask, [place], call)
    return row ? readTask(row) : null
  },

  async counts(options) {
    const call = begin(options)
    const [counted] = await run(countTasks, [countCeiling + 1], call)
    const { pending = 0, processing = 0, done = 0, failed = 0 } = counted ?? {}
    return { pending, processing, done: boundedCount(done), failed: boundedCount(failed) }
  },

  async oldestDue(options) {
    const [found] = await run(oldestDue, [], begin(options))
    return found?.due == null ? null : readTime(found.due)
  },

  async list(filter = {}, options) {
    const call = begin(options)
    const { status, project } = filter
    const limit = pageLimit(filter)
    const cursor = readCursor(filter, Cursor)
    const shape = shapeOf(status)
    const given = [shape === 'other' ? status : undefined, project].filter((value) => value !== undefined)
    if (!given.every(canExist)) return emptyPage()
    const statement = listTasks({ status: shape, project: project !== undefined, after: cursor !== null })
    const found = await run(statement, [limit + 1, ...given, ...(cursor ?? [])], call)
    return makePage(found, filter, {
      read: (row) => ({ ok: true, item: readTask(row) }),
      key: ({ id }) => [id],
    })
  },
})
