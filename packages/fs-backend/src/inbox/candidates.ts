import type { ClaimRequest } from '@nexus/core'
import { createSettling } from './hand-made.ts'
import type { InboxTools } from './inbox-tools.ts'
import { mapSome, type PendingPlace } from './places.ts'
import { type TaskRecord, unlessCorrupt } from './record.ts'

export interface Candidate extends PendingPlace {
  record: TaskRecord
}

/** Due tasks of each project, in the order in which they are to be claimed. [C-INBOX-4] */
export type Queues = Map<string, Candidate[]>

export interface Candidates {
  /** Puts delayed tasks that are due by now in their documented place. */
  promote(): Promise<void>
  queues(request: ClaimRequest): Promise<Queues>
}

const promotedTogether = 16

const claimOrder = ({ record: a }: Candidate, { record: b }: Candidate): number =>
  b.priority - a.priority || a.runAt - b.runAt || (a.id < b.id ? -1 : 1)

export const createCandidates = (tools: InboxTools): Candidates => {
  const { clock, places, records, atomic, inbox, logger } = tools
  const settling = createSettling(clock)
  const reported = new Set<string>()

  const report = (path: string, reason: string): void => {
    if (reported.has(path)) return
    reported.add(path)
    logger.error('A task cannot be claimed', { path, reason })
  }

  const isDue = (place: PendingPlace): place is Candidate => {
    if (place.corrupt) report(place.path, place.corrupt.message)
    if (!place.record) return false
    return place.handMade ? settling.isSettled(place.id, place.handMade) : place.record.runAt <= clock.now()
  }

  return {
    async promote() {
      const due = (await places.delayed()).filter((name) => name.due <= clock.now())
      await mapSome(due, promotedTogether, async (name) => {
        const path = inbox.delayedFile(name)
        const record = await unlessCorrupt(
          () => records.load(name),
          ({ message }) => report(path, message),
        )
        if (record) await atomic.move(path, inbox.pendingFile(record.project, name))
      })
    },
    async queues({ projects }) {
      const queues: Queues = new Map()
      const handMade = new Set<string>()
      for (const project of await places.projects()) {
        if (projects && !projects.includes(project)) continue
        const pending = await places.pending(project)
        for (const place of pending) if (place.handMade) handMade.add(place.id)
        const due = pending.filter(isDue).sort(claimOrder)
        if (due.length > 0) queues.set(project, due)
      }
      if (!projects) settling.forgetAllBut(handMade)
      return queues
    },
  }
}
