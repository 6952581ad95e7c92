import type { ClaimedTask } from '@nexus/core'
import type { HostConfig } from '../config/host-config.ts'
import type { HostTools } from '../host-tools.ts'
import type { TaskOutcome } from '../task/finish.ts'
import type { Availability } from './availability.ts'
import { type Bell, createBell } from './bell.ts'
import { createCancelled } from './cancelled.ts'
import { createDesk } from './desk.ts'
import type { Hold, Holds } from './hold.ts'
import { createOnce, type OnceVerdict } from './once.ts'

export interface InboxLoopOptions {
  holds: Holds
  availability: Availability
  work(hold: Hold): Promise<TaskOutcome>
  /** Ends the claiming. */
  signal: AbortSignal
  /** Return when nothing is due and nothing is held. */
  once: boolean
  /** Hears that the inbox has told which claims of those who are gone are ours. */
  onResumed(): void
}

/** Rings for new tasks until the signal aborts. */
const hear = async ({ stores, logger, timing }: HostTools, bell: Bell, signal: AbortSignal): Promise<void> => {
  const pause = createBell()
  while (!signal.aborted) {
    try {
      for await (const _ of stores.inbox.watch(signal)) bell.ring()
    } catch (error) {
      if (!signal.aborted) logger.debug('not hearing of new tasks; the poll finds them', { error: String(error) })
    }
    await pause.wait(timing.pollMs, signal)
  }
}

/** Tasks that only wait for their end to be told, because a store cannot be reached, take nobody's place; up to this. */
const mostEnding = 100

const roomFor = (holds: Holds, concurrency: number): number => {
  const ending = [...holds.values()].filter(({ isEnding }) => isEnding).length
  return concurrency + Math.min(ending, mostEnding) - holds.size
}

/** Outcomes after which a task is looked at again without ado. */
const waits: readonly (TaskOutcome['status'] | undefined)[] = ['busy', 'waiting', 'held-back']

/** What to claim from which projects: those with a bound of their own each for itself, the others together. */
const portions = ({ projects, concurrency }: HostConfig, holds: Holds): { projects: string[]; limit: number }[] => {
  const all = [...projects.values()]
  const held = (key: string): number => [...holds.values()].filter(({ task }) => task.project === key).length
  const bounded = all.flatMap(({ key, concurrency: bound }) =>
    bound === null ? [] : [{ projects: [key], limit: bound - held(key) }],
  )
  const free = all.filter((project) => project.concurrency === null).map(({ key }) => key)
  return free.length > 0 ? [{ projects: free, limit: concurrency }, ...bounded] : bounded
}

/** Each is first in its turn, so that none waits for ever for what others leave. */
const turned = <T>(all: readonly T[], turn: number): T[] => {
  const first = turn % Math.max(1, all.length)
  return [...all.slice(first), ...all.slice(0, first)]
}

/** Outcomes of tasks that are not done; `isStuck`: a store could not be reached for so long that the run was ended. */
interface Unfinished {
  outcomes: ReadonlyMap<string, TaskOutcome>
  isStuck: boolean
}

/** Claims while there is room, works, and hears of new tasks. */
export const runInboxLoop = async (
  tools: HostTools,
  { holds, availability, work, signal, once, onResumed }: InboxLoopOptions,
): Promise<Unfinished> => {
  const { stores, config, logger, timing, worker, clock } = tools
  const { leaseMs } = timing
  const bell = createBell()
  const ended = new AbortController()
  const until = AbortSignal.any([signal, ended.signal])
  const desk = createDesk(tools, { holds, once, work, onRoom: bell.ring })
  const cancelled = createCancelled(tools, availability)
  const judge = createOnce(tools, { holds, availability, unfinished: desk.unfinished })

  /** Whether nothing new is to begin. */
  const isHeldBack = (): boolean => tools.drain.isRequested || tools.quiet.isAsked

  const recover = async (): Promise<void> => {
    const swept = await availability.attempt('sweep', () => stores.inbox.sweep())
    cancelled.add(swept?.failed ?? [])
    await tools.drain.look()
    await tools.quiet.look()
    if (!isHeldBack()) await takeOver()
    await cancelled.settle()
  }

  let isFirst = true
  const takeOver = async (): Promise<void> => {
    if (isFirst) await cancelled.lookOut()
    // Among them what we were given by a claim whose answer never came.
    const request = { worker, leaseMs, held: [...holds.keys()] }
    const resumed = await availability.attempt('resume', () => stores.inbox.resume(request))
    for (const task of resumed ?? []) {
      logger.info('task taken over from a claim that is gone', {
        task: task.id,
        project: task.project,
        file: task.filename,
      })
      desk.take(task)
    }
    if (!resumed) return
    isFirst = false
    onResumed()
  }

  let turn = 0
  const claim = async (): Promise<number> => {
    turn += 1
    const tasks: ClaimedTask[] = []
    for (const { projects, limit } of turned(portions(config, holds), turn)) {
      const room = Math.min(limit, roomFor(holds, config.concurrency) - tasks.length)
      if (room <= 0) continue
      const request = { worker, limit: room, leaseMs, projects }
      tasks.push(...((await availability.attempt('claim', () => stores.inbox.claim(request))) ?? []))
    }
    for (const task of tasks) {
      // Of a task that was let go to wait, it is no news.
      const isAgain = waits.includes(desk.unfinished.get(task.id)?.status)
      const about = { project: task.project, task: task.id, file: task.filename }
      logger[isAgain ? 'debug' : 'info']('task claimed', about)
      desk.take(task)
    }
    return tasks.length
  }

  const heard = hear(tools, bell, until)
  let recoveredAt = Number.NEGATIVE_INFINITY
  let verdict: OnceVerdict = 'going on'
  while (!signal.aborted) {
    // Those who move the stores keep nobody waiting for longer than needed.
    const pauseMs = tools.quiet.isAsked ? timing.pollMs : timing.sweepMs
    if (clock.monotonic() - recoveredAt >= pauseMs) {
      recoveredAt = clock.monotonic()
      await recover()
    }
    if (tools.drain.isRequested && holds.size === 0) break
    const claimed = isHeldBack() ? 0 : await claim()
    if (once) verdict = await judge(claimed)
    if (verdict !== 'going on') break
    await bell.wait(holds.size > 0 ? timing.pollMs : once ? timing.pollMs / 5 : timing.idlePollMs, signal)
  }
  ended.abort()
  await heard
  return { outcomes: desk.unfinished, isStuck: verdict === 'stuck' }
}
