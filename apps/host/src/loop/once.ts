import { eachItem } from '@nexus/core'
import type { HostTools } from '../host-tools.ts'
import type { TaskOutcome } from '../task/finish.ts'
import type { Availability } from './availability.ts'
import { type Hold, type Holds, runningAttempts } from './hold.ts'

interface OnceOptions {
  holds: Holds
  availability: Availability
  unfinished: ReadonlyMap<string, TaskOutcome>
}

type Tools = Pick<HostTools, 'stores' | 'config' | 'clock' | 'timing'>

/** Pending tasks that could be claimed by now, though the last claim did not give them: a file somebody is still writing. */
const somethingIsDue = async ({ stores, config, clock }: Tools): Promise<boolean> => {
  for await (const { project, runAt } of eachItem((page) => stores.inbox.list({ ...page, status: 'pending' })))
    if (config.projects.has(project) && runAt.getTime() <= clock.now()) return true
  return false
}

/** `stuck`: nothing can go on, since a store has been out of reach for too long. */
export type OnceVerdict = 'going on' | 'over' | 'stuck'

/**
 * Says when `--once` is over: nothing held, nothing due, and no task of this run due again soon. A paused task waits for
 * a person and is not waited for.
 */
export const createOnce = (tools: Tools, { holds, availability, unfinished }: OnceOptions) => {
  const { clock, timing } = tools
  const startedAt = clock.monotonic()
  let idleSince = startedAt

  /** Of one whose time has come the inbox tells: another host may have it, or a person have cancelled it. */
  const isSoonDue = (outcome: TaskOutcome): boolean => {
    if (!('retryAt' in outcome) || outcome.status === 'paused' || outcome.status === 'unknown-project') return false
    const dueMs = outcome.retryAt.getTime() - clock.now()
    return dueMs > 0 && dueMs <= timing.patienceMs
  }

  const isWaiting = (hold: Hold): boolean =>
    availability.isWaiting(hold) || unfinished.get(hold.task.id)?.status === 'waiting'

  const isStuck = (): boolean =>
    Math.min(availability.missingMs() ?? 0, clock.monotonic() - startedAt) > timing.patienceMs &&
    [...holds.values()].every(isWaiting) &&
    runningAttempts(holds).length === 0

  return async (claimed: number): Promise<OnceVerdict> => {
    if (claimed > 0 || holds.size > 0 || [...unfinished.values()].some(isSoonDue)) idleSince = clock.monotonic()
    else if ((await availability.attempt('list', () => somethingIsDue(tools))) === false) return 'over'
    if (isStuck()) return 'stuck'
    return clock.monotonic() - idleSince > timing.patienceMs ? 'over' : 'going on'
  }
}
