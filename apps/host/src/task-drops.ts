import type { CallOptions, ClaimedTask, ClaimRequest, InboxHint, InboxStore, Logger } from '@nexus/core'
import { isStoreError } from '@nexus/core'
import { createBell } from './loop/bell.ts'

/** How many drops are brought in one go. */
const batch = 100

/** How long to wait for a hint before looking anyway, in milliseconds. */
const lookMs = 5_000

export interface TaskDropsOptions {
  /** Where tasks are worked from. */
  inbox: InboxStore
  /** The folder where people and programs drop task files. */
  drops: InboxStore
  /** Names this root among those that feed the same inbox. */
  rootId: string
  logger: Logger
}

/**
 * The inbox, fed from the drop folder: a file under `.nexus/inbox/{project}/` is a task in every routing. Each drop is
 * claimed, enqueued under a key of its own, and only then done, so that a crash anywhere brings it in exactly once.
 */
export const withTaskDrops = ({ inbox, drops, rootId, logger }: TaskDropsOptions): InboxStore => {
  const bringIn = async (task: ClaimedTask, options: CallOptions | undefined): Promise<void> => {
    const { project, workspace, filename, markdown, id, createdAt, claim } = task
    const idempotencyKey = `drop:${rootId}:${project}:${id}:${createdAt.getTime()}`
    try {
      await inbox.enqueue([{ project, workspace, filename, markdown, idempotencyKey }], options)
    } catch (error) {
      if (!isStoreError(error, 'invalid')) throw error
      await drops.fail(claim, error.message, { fatal: true })
      logger.warn('a dropped task file cannot be taken in', { project, file: filename, reason: error.message })
      return
    }
    await drops.complete(claim)
  }

  const bringInAll = async (tasks: ClaimedTask[], options: CallOptions | undefined): Promise<void> => {
    for (const [index, task] of tasks.entries()) {
      try {
        await bringIn(task, options)
      } catch (error) {
        // Nobody else takes what a living host holds. What cannot be given back now is swept after its lease.
        await Promise.allSettled(tasks.slice(index).map(({ claim }) => drops.release(claim)))
        throw error
      }
    }
  }

  let isTold = false
  /** The folder's own tasks moved away and are kept for now: they must not come in again, and new files wait until they are deleted. */
  const unlessMoved = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (!isStoreError(error) || error.movedTo === undefined) throw error
      if (!isTold)
        logger.warn(
          'task files dropped below the root wait: the copy of its inbox is kept since the move. Delete it with nexus-admin migrate finish',
          { moved_to: error.movedTo },
        )
      isTold = true
    }
  }

  let failed = false

  const collect = async ({ worker, leaseMs, projects }: ClaimRequest, options?: CallOptions): Promise<void> => {
    // Nothing is taken out to be put back again: first it must be seen that the inbox can be reached.
    if (failed) await inbox.counts(options)
    failed = true
    await unlessMoved(async () => {
      let tasks = await drops.resume({ worker, leaseMs }, options)
      do {
        await bringInAll(tasks, options)
        tasks = await drops.claim({ worker, leaseMs, projects, limit: batch }, options)
      } while (tasks.length > 0)
    })
    failed = false
  }

  return {
    ...inbox,
    async claim(request, options) {
      await collect(request, options)
      return inbox.claim(request, options)
    },
    async sweep(options) {
      await unlessMoved(() => drops.sweep(options))
      return inbox.sweep(options)
    },
    async *watch(signal) {
      const bell = createBell()
      const heard: InboxHint[] = []
      const hear = async (source: AsyncIterable<InboxHint>): Promise<void> => {
        for await (const hint of source) {
          heard.push(hint)
          bell.ring()
        }
      }
      const hearing = Promise.allSettled([hear(inbox.watch(signal)), hear(drops.watch(signal))])
      while (!signal.aborted) {
        await bell.wait(lookMs, signal)
        yield* heard.splice(0)
      }
      await hearing
    },
  }
}
