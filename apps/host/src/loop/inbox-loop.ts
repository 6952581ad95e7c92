import type { HostTools } from '../host-tools.ts'
import type { TaskOutcome } from '../task/finish.ts'
import type { Availability } from './availability.ts'
import { type Bell, createBell } from './bell.ts'
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

/** Outcomes after which a task is soon looked at again. */
const waits: readonly (TaskOutcome['status'] | undefined)[] = ['busy', 'waiting']

/** Outcomes of tasks that are not done; `isStuck`: a store could not be reached for so long that the run was ended. */
interface Unfinished {
  outcomes: ReadonlyMap<string, TaskOutcome>
  isStuck: boolean
}

/** Claims while there is room, works, and hears of new tasks. */
export const runInboxLoop = async (
  tools: HostTools,
  { holds, availability, work, signal, once }: InboxLoopOptions,
): Promise<Unfinished> => {
  const { stores, config, logger, timing, worker, clock } = tools
  const { leaseMs } = timing
  const bell = createBell()
  const ended = new AbortController()
  const until = AbortSignal.any([signal, ended.signal])
  const desk = createDesk(tools, { holds, work, onRoom: bell.ring })
  const judge = createOnce(tools, { holds, availability, unfinished: desk.unfinished })
  const projects = [...config.projects.keys()]

  const recover = async (): Promise<void> => {
    await availability.attempt('sweep', () => stores.inbox.sweep())
    // Among them what we were given by a claim whose answer never came.
    const request = { worker, leaseMs, held: [...holds.keys()] }
    for (const task of (await availability.attempt('resume', () => stores.inbox.resume(request))) ?? []) {
      logger.info('task taken over from a claim that is gone', {
        task: task.id,
        project: task.project,
        file: task.filename,
      })
      desk.take(task)
    }
  }

  const claim = async (): Promise<number> => {
    const limit = roomFor(holds, config.concurrency)
    if (limit <= 0) return 0
    const request = { worker, limit, leaseMs, projects }
    const tasks = (await availability.attempt('claim', () => stores.inbox.claim(request))) ?? []
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
    if (clock.monotonic() - recoveredAt >= timing.sweepMs) {
      recoveredAt = clock.monotonic()
      await recover()
    }
    const claimed = await claim()
    if (once) verdict = await judge(claimed)
    if (verdict !== 'going on') break
    await bell.wait(once && holds.size === 0 ? timing.pollMs / 5 : timing.pollMs, signal)
  }
  ended.abort()
  await heard
  return { outcomes: desk.unfinished, isStuck: verdict === 'stuck' }
}
