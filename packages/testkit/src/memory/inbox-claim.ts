import { type ClaimedTask, ClaimRequest, parseInput } from '@nexus/core'
import { type InboxRow, sameName, toTask } from './inbox-data.ts'
import type { MemoryInboxTools } from './inbox-tools.ts'

const claimOrder = (a: InboxRow, b: InboxRow): number =>
  b.priority - a.priority || a.runAt - b.runAt || a.sequence - b.sequence

/** The one step by which a worker becomes the holder. */
export const hold = (row: InboxRow, worker: string, leaseMs: number): ClaimedTask => {
  row.status = 'processing'
  row.epoch += 1
  row.hold = { worker, leaseMs, beats: 0 }
  row.lastHolder = worker
  return { ...toTask(row), claim: { id: row.id, epoch: row.epoch, worker } }
}

export const createClaim = ({ data, clock }: MemoryInboxTools) => {
  const processing = (): InboxRow[] => [...data.rows.values()].filter(({ status }) => status === 'processing')

  const dueByProject = ({ projects }: ClaimRequest): Map<string, InboxRow[]> => {
    const due = [...data.rows.values()].filter(
      (row) =>
        row.status === 'pending' &&
        row.runAt <= clock.now() &&
        (projects === undefined || projects.includes(row.project)),
    )
    const queues = new Map<string, InboxRow[]>()
    for (const row of due.sort(claimOrder)) queues.set(row.project, [...(queues.get(row.project) ?? []), row])
    return queues
  }

  /** The first of a project's queue whose name nobody is processing; those before it wait. [C-INBOX-6] */
  const takeFirst = (queue: InboxRow[]): InboxRow | null => {
    const busy = processing()
    const index = queue.findIndex((row) => !busy.some((other) => sameName(other, row)))
    return index < 0 ? null : (queue.splice(index, 1)[0] ?? null)
  }

  /** The project whose turn it is: fewest in processing, then longest unserved. [C-INBOX-4] */
  const nextProject = (queues: Map<string, InboxRow[]>, most: number): string | null => {
    const load = new Map<string, number>()
    for (const { project } of processing()) load.set(project, (load.get(project) ?? 0) + 1)
    const [first] = [...queues.keys()]
      .map((project) => ({ project, load: load.get(project) ?? 0, served: data.served.get(project) ?? 0 }))
      .filter((candidate) => candidate.load < most)
      .sort((a, b) => a.load - b.load || a.served - b.served)
    return first?.project ?? null
  }

  return (given: ClaimRequest): ClaimedTask[] => {
    const request = parseInput(ClaimRequest, given, 'claim request')
    const queues = dueByProject(request)
    const claimed: ClaimedTask[] = []
    while (claimed.length < request.limit) {
      const project = nextProject(queues, request.maxPerProject ?? Number.POSITIVE_INFINITY)
      if (project === null) break
      const row = takeFirst(queues.get(project) ?? [])
      if (!row) {
        queues.delete(project)
        continue
      }
      data.serving += 1
      data.served.set(project, data.serving)
      claimed.push(hold(row, request.worker, request.leaseMs))
    }
    return claimed
  }
}
