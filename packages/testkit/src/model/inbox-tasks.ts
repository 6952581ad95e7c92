import type { ClaimedTask, InboxTask } from '@nexus/core'
import type { Side } from './side.ts'

/** What any backend shows of a task alike: its own id and what follows its own clock are left out. */
export const shownTask = (side: Side, task: InboxTask) => {
  const { id, runAt: _, createdAt: __, processedAt, error, ...fields } = task
  side.tasks.saw(id, task.markdown)
  return { ...fields, error: error?.startsWith('crash loop') ? 'crash loop' : error, isOver: processedAt !== null }
}

/** Remembers the claims, in an order that does not depend on ids, and shows the tasks in the order that was answered. */
export const shownClaims = (side: Side, claimed: readonly ClaimedTask[]) => {
  const shown = claimed.map(({ claim, ...task }) => ({
    ...shownTask(side, task),
    by: claim.worker,
    epoch: side.epoch(claim),
  }))
  const inOrder = [...claimed].sort((a, b) => (a.markdown < b.markdown ? -1 : 1))
  for (const { claim } of inOrder) side.claims.push(claim)
  return shown
}

/** The present name of a worker: one that was killed never comes back. */
export const workerName = (side: Side, worker: number): string =>
  `worker-${worker}.${side.generations.get(worker) ?? 0}`

export const killWorker = (side: Side, worker: number): void => {
  side.harness.kill(workerName(side, worker))
  side.generations.set(worker, (side.generations.get(worker) ?? 0) + 1)
}

const nobodysId = '999999'

/** The id of one of the tasks that were ever seen. */
export const taskOf = (side: Side, nth: number): string => {
  const names = side.tasks.known()
  return side.tasks.id(names[nth % Math.max(1, names.length)] ?? '') ?? nobodysId
}

/** The task of a late claim, or any. */
export interface Target {
  back: number | null
  nth: number | null
}

export const idOf = (side: Side, { back, nth }: Target): string =>
  back === null ? taskOf(side, nth ?? 0) : (side.claim(back)?.id ?? nobodysId)
