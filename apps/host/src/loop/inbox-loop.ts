import type { HostTools } from '../host-tools.ts'
import type { TaskOutcome } from '../task/finish.ts'
import type { Availability } from './availability.ts'
import { type Bell, createBell } from './bell.ts'
import { createDesk } from './desk.ts'
import type { Hold, Holds } from './hold.ts'
import { createOnce } from './once.ts'

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

/** Claims while there is room, works, and hears of new tasks. Resolves with the outcomes of tasks that are not done. */
export const runInboxLoop = async (
  tools: HostTools,
  { holds, availability, work, signal, once }: InboxLoopOptions,
): Promise<ReadonlyMap<string, TaskOutcome>> => {
  const { stores, config, logger, timing, worker, clock } = tools
  const { leaseMs } = timing
  const bell = createBell()
  const ended = new AbortController()
  const until = AbortSignal.any([signal, ended.signal])
  const desk = createDesk(tools, { holds, work, onRoom: bell.ring })
  const isOver = createOnce(tools, { holds, availability, unfinished: desk.unfinished })
  const projects = [...config.projects.keys()]

  const recover = async (): Promise<void> => {
    await availability.attempt(() => stores.inbox.sweep())
    for (const task of (await availability.attempt(() => stores.inbox.resume({ worker, leaseMs }))) ?? []) {
      logger.info('task taken over from a host that is gone', {
        task: task.id,
        project: task.project,
        file: task.filename,
      })
      desk.take(task)
    }
  }

  const claim = async (): Promise<number> => {
    const limit = config.concurrency - holds.size
    if (limit <= 0) return 0
    const tasks = (await availability.attempt(() => stores.inbox.claim({ worker, limit, leaseMs, projects }))) ?? []
    for (const task of tasks) {
      logger.info('task claimed', { project: task.project, task: task.id, file: task.filename })
      desk.take(task)
    }
    return tasks.length
  }

  const heard = hear(tools, bell, until)
  let recoveredAt = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    if (clock.monotonic() - recoveredAt >= timing.sweepMs) {
      recoveredAt = clock.monotonic()
      await recover()
    }
    const claimed = await claim()
    if (once && (await isOver(claimed))) break
    await bell.wait(once && holds.size === 0 ? timing.pollMs / 5 : timing.pollMs, signal)
  }
  ended.abort()
  await heard
  return desk.unfinished
}
