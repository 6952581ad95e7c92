import { isStoreError } from '@nexus/core'
import { abortable } from './connections.ts'
import type { Call } from './tools.ts'

/** So many statements of one kind are on their way before calls wait for each other: one is on the disk, one comes there. */
const lanes = 2
/** Rows of one statement. */
const most = 128

export interface CoalesceOptions<I, R> {
  /** Two of one key never share a statement. */
  keyOf(item: I): string
  single(item: I, call: Call): Promise<R>
  /** For each item its answer, or null where the item is for a statement of its own. All or nothing. */
  batch(items: readonly I[], call: Call): Promise<readonly (R | null)[]>
}

interface Waiting<I, R> {
  item: I
  key: string
  call: Call
  resolve(answer: R | Promise<R>): void
  reject(reason: unknown): void
  /** Until a lane takes it. */
  timer: NodeJS.Timeout | undefined
}

/** Milliseconds; none where too little is left for a statement. */
const leftOf = ({ budget }: Call): number => {
  try {
    return budget.left()
  } catch {
    return 0
  }
}

/**
 * What has waited for most of its time, and what nobody waits for any more, goes by itself, if at all: nobody else is to
 * end with it.
 */
const mayShare = (call: Call): boolean => call.signal?.aborted !== true && leftOf(call) > call.budget.ms / 2

/** Whether it may be the fault of one item, and the others came to no effect by it. */
const isOfOneItem = (error: unknown): boolean => isStoreError(error) && error.code !== 'unavailable'

/** The calls that wait for a lane. None waits longer than its own time. */
const createQueue = <I, R>(alone: (waiting: Waiting<I, R>) => void) => {
  const queue = new Set<Waiting<I, R>>()
  const take = (waiting: Waiting<I, R>): void => {
    clearTimeout(waiting.timer)
    queue.delete(waiting)
  }
  return {
    add(waiting: Waiting<I, R>): void {
      queue.add(waiting)
      const late = (): void => {
        queue.delete(waiting)
        alone(waiting)
      }
      waiting.timer = setTimeout(late, Math.ceil(leftOf(waiting.call)))
    },
    /** Those that go together now: of different keys, and with the same time from end to end. */
    next(): Waiting<I, R>[] {
      const taken = new Map<string, Waiting<I, R>>()
      for (const waiting of queue) {
        const [first] = taken.values()
        if (taken.has(waiting.key) || (first && first.call.budget.ms !== waiting.call.budget.ms)) continue
        take(waiting)
        if (mayShare(waiting.call)) taken.set(waiting.key, waiting)
        else alone(waiting)
        if (taken.size === most) break
      }
      return [...taken.values()]
    },
  }
}

/**
 * Calls that come while others are on their way share one statement, and with it one wait for the disk; a call alone is
 * the statement it always was. Each caller has the answer and the signal of its own, and no less than half of its time.
 */
export const createCoalesced = <I, R>({ keyOf, single, batch }: CoalesceOptions<I, R>) => {
  const send = async ({ item, call }: Waiting<I, R>): Promise<R> => single(item, call)
  const alone = (waiting: Waiting<I, R>): void => waiting.resolve(send(waiting))
  const queue = createQueue(alone)
  let busy = 0

  const together = async (group: readonly Waiting<I, R>[], { budget }: Call): Promise<void> => {
    try {
      const answers = await batch(
        group.map(({ item }) => item),
        { budget },
      )
      for (const [nth, waiting] of group.entries()) {
        const answer = answers[nth] ?? null
        if (answer === null) alone(waiting)
        else waiting.resolve(answer)
      }
    } catch (error) {
      for (const waiting of group) {
        if (isOfOneItem(error)) alone(waiting)
        else waiting.reject(error)
      }
    }
  }

  const work = async (): Promise<void> => {
    busy += 1
    // Those that are called in one turn go together from the first on.
    await null
    for (let group = queue.next(); group.length > 0; group = queue.next()) {
      const [oldest] = group
      if (oldest && group.length > 1) await together(group, oldest.call)
      else if (oldest) await send(oldest).then(oldest.resolve, oldest.reject)
    }
    busy -= 1
  }

  return (item: I, call: Call): Promise<R> => {
    const waits = new Promise<R>((resolve, reject) => {
      queue.add({ item, key: keyOf(item), call, resolve, reject, timer: undefined })
    })
    if (busy < lanes) void work()
    return abortable(waits, call.signal)
  }
}
