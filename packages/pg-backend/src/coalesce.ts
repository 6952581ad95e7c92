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
}

/** Whether its time is over, or nobody waits for it: a statement of its own says so, and is not sent. */
const isOver = ({ budget, signal }: Call): boolean => {
  try {
    return signal?.aborted === true || budget.left() <= 0
  } catch {
    return true
  }
}

/** Whether it may be the fault of one item, and the others came to no effect by it. */
const isOfOneItem = (error: unknown): boolean => isStoreError(error) && error.code !== 'unavailable'

/**
 * Calls that come while others are on their way share one statement, and with it one wait for the disk; a call alone is
 * the statement it always was. Each caller has the answer, the error, the time and the signal of its own.
 */
export const createCoalesced = <I, R>({ keyOf, single, batch }: CoalesceOptions<I, R>) => {
  const queue = new Set<Waiting<I, R>>()
  let busy = 0

  const alone = ({ item, call, resolve }: Waiting<I, R>): void => resolve(single(item, call))

  const takeNext = (): Waiting<I, R>[] => {
    const taken = new Map<string, Waiting<I, R>>()
    for (const waiting of queue) {
      if (taken.has(waiting.key)) continue
      queue.delete(waiting)
      if (isOver(waiting.call)) alone(waiting)
      else taken.set(waiting.key, waiting)
      if (taken.size === most) break
    }
    return [...taken.values()]
  }

  const together = async (group: readonly Waiting<I, R>[]): Promise<void> => {
    const [first] = group
    if (!first) return
    try {
      const answers = await batch(
        group.map(({ item }) => item),
        { budget: first.call.budget },
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
    for (let group = takeNext(); group.length > 0; group = takeNext()) {
      const [only] = group
      if (only && group.length === 1) await single(only.item, only.call).then(only.resolve, only.reject)
      else await together(group)
    }
    busy -= 1
  }

  return (item: I, call: Call): Promise<R> => {
    const waits = new Promise<R>((resolve, reject) => {
      queue.add({ item, key: keyOf(item), call, resolve, reject })
    })
    if (busy < lanes) void work()
    return abortable(waits, call.signal)
  }
}
