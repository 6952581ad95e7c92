import { type ClaimedTask, type InboxStore, isUnheard, maxRecoveries, parseInput, ResumeRequest } from '@nexus/core'
import { hold } from './inbox-claim.ts'
import { giveBack, type InboxRow, makeFailed } from './inbox-data.ts'
import type { MemoryInboxTools } from './inbox-tools.ts'

interface Observation {
  epoch: number
  beats: number
  /** Monotonic time of this opening when it first saw the two. */
  since: number
}

/** Taking tasks back from holders that are gone. [C-INBOX-11, C-INBOX-12] */
export type RecoveryVerbs = Pick<InboxStore, 'sweep' | 'resume'>

export const createRecoveryVerbs = ({ data, clock, liveness, checkOpen }: MemoryInboxTools): RecoveryVerbs => {
  const seen = new Map<string, Observation>()

  const isStale = (row: InboxRow): boolean => {
    if (row.status !== 'processing' || !row.hold) {
      seen.delete(row.id)
      return false
    }
    const before = seen.get(row.id)
    if (before && before.epoch === row.epoch && before.beats === row.hold.beats)
      return clock.monotonic() - before.since >= row.hold.leaseMs
    seen.set(row.id, { epoch: row.epoch, beats: row.hold.beats, since: clock.monotonic() })
    return false
  }

  /** Takes it from its holder and counts that; false where it was once too many and the task is a dead letter now. */
  const survives = (row: InboxRow): boolean => {
    row.lastHolder = null
    row.recoveries += 1
    if (row.recoveries <= maxRecoveries) return true
    makeFailed(row, 'crash loop', clock.now())
    return false
  }

  /** The issue of a task whose holder died may run under another task, also under one that ends in this very call. */
  const takeRunningMark = (row: InboxRow, before: ReadonlySet<InboxRow>): boolean => {
    if (row.issueNumber === null) return true
    const taken = [...data.rows.values()].some(
      (other) =>
        other.id !== row.id &&
        (other.running || before.has(other)) &&
        other.project === row.project &&
        other.issueNumber === row.issueNumber,
    )
    if (!taken) row.running = true
    return !taken
  }

  return {
    async sweep(options) {
      checkOpen(options)
      const answer: { freed: string[]; failed: string[] } = { freed: [], failed: [] }
      for (const id of seen.keys()) if (!data.rows.has(id)) seen.delete(id)
      for (const row of [...data.rows.values()].filter(isStale)) {
        seen.delete(row.id)
        const kept = survives(row) && giveBack(data, row, { runAt: row.runAt, now: clock.now() })
        answer[kept ? 'freed' : 'failed'].push(row.id)
      }
      return answer
    },

    async resume(request, options) {
      checkOpen(options)
      const given = parseInput(ResumeRequest, request, 'resume request')
      const { worker, leaseMs } = given
      const resumed: ClaimedTask[] = []
      const running = new Set([...data.rows.values()].filter((row) => row.running))
      for (const row of data.rows.values()) {
        if (row.status !== 'processing' || !row.hold) continue
        const isGone = liveness(row.hold.worker) === 'dead' || isUnheard(given, { id: row.id, worker: row.hold.worker })
        if (!isGone) continue
        if (!survives(row)) continue
        if (!row.cancelRequested && takeRunningMark(row, running)) resumed.push(hold(row, worker, leaseMs))
        else giveBack(data, row, { runAt: row.runAt, now: clock.now() })
      }
      return resumed
    },
  }
}
