import { boundedCount, countCeiling, type InboxStore, type InboxTask, inboxStatuses } from '@nexus/core'
import { ifPossible } from '../fs-errors.ts'
import type { Holders } from './holders.ts'
import type { EndedStatus } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import { createList, readFilter } from './list.ts'
import { createTaskReading, statusAfter } from './task-reading.ts'

export type ReadVerbs = Pick<InboxStore, 'load' | 'counts' | 'oldestDue' | 'list'>

const mostTurns = 5

const createCounts = (tools: InboxTools): InboxStore['counts'] => {
  const { places, queue } = tools

  const countEnded = async (status: EndedStatus): Promise<number> => {
    let counted = 0
    for (const month of await places.months(status)) {
      if (counted > countCeiling) break
      await places.endedIn(status, month, (found) => {
        counted += found.length
        return counted <= countCeiling
      })
    }
    return counted
  }

  const countPending = async (): Promise<number> => {
    await queue.delayed.refresh()
    let pending = queue.delayed.size()
    for (const project of await places.projects()) {
      await queue.pending(project).refresh()
      pending += queue.pending(project).size()
    }
    return pending
  }

  return async (options) => {
    tools.checkOpen(options)
    await ifPossible(tools.finishAll)
    const between = (await places.ending()).map(({ kind }) => statusAfter[kind])
    const countBetween = (status: string): number => between.filter((other) => other === status).length
    return {
      pending: countBetween('pending') + (await countPending()),
      processing: (await places.processing()).length,
      done: boundedCount(countBetween('done') + (await countEnded('done'))),
      failed: boundedCount(countBetween('failed') + (await countEnded('failed'))),
    }
  }
}

/** Of what cannot be read nobody knows since when it is due. */
const earliest = (entries: Iterable<{ due: number }>): number => {
  let oldest = Number.POSITIVE_INFINITY
  for (const { due } of entries) if (due > 0 && due < oldest) oldest = due
  return oldest
}

const createOldestDue = ({ places, queue, clock, checkOpen, finishAll }: InboxTools): InboxStore['oldestDue'] => {
  const indexes = async () => [queue.delayed, ...(await places.projects()).map(queue.pending)]
  return async (options) => {
    checkOpen(options)
    await ifPossible(finishAll)
    let oldest = Number.POSITIVE_INFINITY
    for (const index of await indexes()) {
      await index.refresh()
      oldest = Math.min(oldest, earliest(index.entries()))
    }
    return oldest <= clock.now() ? new Date(oldest) : null
  }
}

export const createReadVerbs = (tools: InboxTools, holders: Holders): ReadVerbs => {
  const at = createTaskReading(tools, holders)

  const load = async (id: string): Promise<InboxTask | null> => {
    for (let turn = 0; turn < mostTurns; turn += 1) {
      const location = await tools.locate(id)
      if (!location) return null
      const task = await at(location)
      if (task) return task
    }
    return null
  }

  const list = createList(tools, { at, load })

  return {
    async load(id, options) {
      tools.checkOpen(options)
      return load(id)
    },
    counts: createCounts(tools),
    oldestDue: createOldestDue(tools),
    async list(filter = {}, options) {
      tools.checkOpen(options)
      const wanted = readFilter(filter)
      if (wanted.status !== undefined && !inboxStatuses.some((status) => status === wanted.status))
        return { items: [], corrupt: [], cursor: null }
      await ifPossible(tools.finishAll)
      return list(wanted)
    },
  }
}
