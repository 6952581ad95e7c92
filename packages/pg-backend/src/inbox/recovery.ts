import {
  type InboxStore,
  isUnheard,
  maxRecoveries,
  maxUpdateTries,
  parseInput,
  ResumeRequest,
  StoreError,
} from '@nexus/core'
import { sqlStateOf } from '../pg-errors.ts'
import { type HeldRow, listHeld, resumeTasks, sweepTasks } from '../statements/inbox-recovery.ts'
import type { Call } from '../tools.ts'
import type { InboxTools } from './inbox-tools.ts'
import { boundedLease, readClaimed } from './rows.ts'
import { publicId } from './task-ids.ts'

/** Taking tasks back from holders that are gone. [C-INBOX-11, C-INBOX-12] */
export type RecoveryVerbs = Pick<InboxStore, 'sweep' | 'resume'>

interface Observation {
  epoch: number
  heartbeats: number
  /** Monotonic time of this opening when it first saw the two. */
  since: number
}

/** Remembers what this opening saw, and gives the claims that did not move for their lease. No clock is compared. */
const createObserver = ({ clock, run }: InboxTools) => {
  const seen = new Map<number, Observation>()

  return async (call: Call): Promise<HeldRow[]> => {
    const asked = clock.monotonic()
    const rows = await run(listHeld, [], call)
    const answered = clock.monotonic()
    const present = new Set(rows.map(({ id }) => id))
    for (const id of seen.keys()) if (!present.has(id)) seen.delete(id)
    return rows.filter(({ id, epoch, heartbeats, lease_ms }) => {
      const before = seen.get(id)
      if (before?.epoch === epoch && before.heartbeats === heartbeats) return asked - before.since >= lease_ms
      seen.set(id, { epoch, heartbeats, since: answered })
      return false
    })
  }
}

export const createRecoveryVerbs = (tools: InboxTools): RecoveryVerbs => {
  const { run, wake, liveness, begin } = tools
  const observe = createObserver(tools)

  /** Repeated where another task was bound to the same issue meanwhile. */
  const takeOver = async (values: unknown[], call: Call) => {
    for (let tries = 0; tries < maxUpdateTries; tries += 1)
      try {
        return await run(resumeTasks, values, call)
      } catch (error) {
        if (sqlStateOf(error) !== '23505') throw error
      }
    throw new StoreError({ code: 'unavailable', message: 'Others kept binding the same issues.' })
  }

  return {
    async sweep(options) {
      const call = begin(options)
      const stale = await observe(call)
      if (stale.length === 0) return { freed: [], failed: [] }
      const watched = [
        stale.map(({ id }) => id),
        stale.map(({ epoch }) => epoch),
        stale.map(({ heartbeats }) => heartbeats),
      ]
      const rows = await run(sweepTasks, [...watched, maxRecoveries], call)
      const freed = rows.filter(({ status }) => status === 'pending')
      wake(freed.map(({ project_key }) => project_key))
      return {
        freed: freed.map(publicId),
        failed: rows.filter(({ status }) => status === 'failed').map(publicId),
      }
    },

    async resume(request, options) {
      const call = begin(options)
      const given = parseInput(ResumeRequest, request, 'resume request')
      const { worker, leaseMs } = given
      const rows = await run(listHeld, [], call)
      const workers = new Set(rows.map(({ worker }) => worker))
      const gone = new Set([...workers].filter((worker) => liveness(worker) === 'dead'))
      const dead = rows.filter(
        (row) => gone.has(row.worker) || isUnheard(given, { id: publicId(row), worker: row.worker }),
      )
      if (dead.length === 0) return []
      const claims = [dead.map(({ id }) => id), dead.map(({ epoch }) => epoch)]
      const taken = await takeOver([...claims, maxRecoveries, worker, boundedLease(leaseMs)], call)
      wake(taken.filter(({ status }) => status === 'pending').map(({ project_key }) => project_key))
      return taken
        .filter(({ status }) => status === 'processing')
        .sort((a, b) => a.id - b.id)
        .map(readClaimed)
    },
  }
}
