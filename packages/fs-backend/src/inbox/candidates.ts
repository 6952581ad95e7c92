import type { ClaimRequest } from '@nexus/core'
import { createSettling } from './hand-made.ts'
import type { InboxTools } from './inbox-tools.ts'
import type { PendingPlace } from './places.ts'
import type { PendingEntry } from './queue.ts'
import type { TaskRecord } from './record.ts'

/** A file that is being written may be another one at each look. */
const mostLooks = 3

export interface Candidate extends PendingPlace {
  record: TaskRecord
}

/** The due tasks of one project, in the order in which they are to be claimed; only what is looked at is read. [C-INBOX-4] */
interface Line {
  /** The next one that `isFree`. */
  next(isFree: (record: TaskRecord) => boolean): Promise<Candidate | null>
  /** Puts back what was looked at and is still there. */
  end(): void
}

export type Lines = Map<string, Line>

type OpenLines = (request: Pick<ClaimRequest, 'projects'>) => Promise<Lines>

export const createCandidates = ({ clock, places, queue, logger }: InboxTools): OpenLines => {
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

  const openLine = (project: string): Line => {
    const index = queue.pending(project)
    const seen = new Set<PendingEntry>()
    const looks = new Map<string, number>()
    return {
      async next(isFree) {
        for (let entry = await index.next(); entry; entry = await index.next()) {
          seen.add(entry)
          const times = (looks.get(entry.file) ?? 0) + 1
          looks.set(entry.file, times)
          if (times > mostLooks) continue
          const place = await queue.look(project, entry)
          // What turned out to belong elsewhere in the order is met there.
          if (place && index.get(entry.file) === entry && isDue(place) && isFree(place.record)) return place
        }
        return null
      },
      end() {
        for (const entry of seen) index.putBack(entry)
      },
    }
  }

  return async ({ projects }) => {
    const lines: Lines = new Map()
    const present = await places.projects()
    for (const project of present) {
      if (projects && !projects.includes(project)) continue
      await queue.pending(project).refresh()
      if (queue.pending(project).size() > 0) lines.set(project, openLine(project))
    }
    settling.forgetUnless((id) => present.some((project) => queue.pending(project).withId(id) !== undefined))
    return lines
  }
}
