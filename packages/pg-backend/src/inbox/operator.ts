import { type InboxStore, maxUpdateTries, PurgeRequest, parseInput, StoreError } from '@nexus/core'
import { sqlStateOf } from '../pg-errors.ts'
import * as sql from '../statements/inbox-operator.ts'
import type { InboxTools } from './inbox-tools.ts'
import { placeOf } from './task-ids.ts'

/** What a person does to the queue. [C-INBOX-14..16] */
export type OperatorVerbs = Pick<InboxStore, 'requeue' | 'cancel' | 'purge'>

const purgeChunk = 1000
const bulkTimeoutMs = 30_000

const keptChanging = (id: string): StoreError =>
  new StoreError({ code: 'unavailable', message: `Others kept changing the task ${id}.` })

const createRequeue =
  ({ run, wake, begin }: InboxTools): OperatorVerbs['requeue'] =>
  async (id, options) => {
    const call = begin(options)
    const place = await placeOf(run, id, call)
    if (place === null) return { status: 'absent' }
    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      const rows = await run(sql.requeueTask, [place], call).catch((error: unknown) => {
        // Another task of that name was enqueued meanwhile.
        if (sqlStateOf(error) === '23505') return []
        throw error
      })
      if (rows[0]) {
        wake([rows[0].project_key])
        return { status: 'requeued' }
      }
      const [found] = await run(sql.findObstacle, [place], call)
      if (!found) return { status: 'absent' }
      const isForeignClaim = found.status === 'processing' && !found.is_leased
      if (found.status !== 'failed' && !isForeignClaim) return { status: 'refused', is: found.status }
      if (found.twin !== null) return { status: 'duplicate', id: found.twin }
    }
    throw keptChanging(id)
  }

const createCancel =
  ({ run, begin }: InboxTools): OperatorVerbs['cancel'] =>
  async (id, options) => {
    const call = begin(options)
    const place = await placeOf(run, id, call)
    if (place === null) return { status: 'absent' }
    for (let tries = 0; tries < maxUpdateTries; tries += 1) {
      const [row] = await run(sql.cancelTask, [place], call)
      if (row) return { status: row.status === 'failed' ? 'cancelled' : 'requested' }
      const [found] = await run(sql.findStatus, [place], call)
      if (!found) return { status: 'absent' }
      if (found.status !== 'pending' && found.status !== 'processing') return { status: 'refused', is: found.status }
    }
    throw keptChanging(id)
  }

export const createOperatorVerbs = (tools: InboxTools): OperatorVerbs => {
  const { run, checkOpen } = tools
  return {
    requeue: createRequeue(tools),
    cancel: createCancel(tools),

    async purge(request, options) {
      checkOpen(options)
      const { olderThan, status } = parseInput(PurgeRequest, request, 'purge request')
      const statuses = status === undefined ? ['done', 'failed'] : [status]
      const settings = { signal: options?.signal, timeoutMs: bulkTimeoutMs }
      let purged = 0
      let last: number | null = 0
      while (last !== null) {
        const chunks: sql.PurgedChunk[] = await run(sql.purgeTasks, [last, statuses, olderThan, purgeChunk], settings)
        purged += chunks[0]?.purged ?? 0
        last = chunks[0]?.last ?? null
      }
      return { purged }
    },
  }
}
