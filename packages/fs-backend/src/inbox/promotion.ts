import { createSlices } from '../slices.ts'
import type { InboxTools } from './inbox-tools.ts'
import { mapSome } from './places.ts'
import type { DelayedEntry } from './queue.ts'
import { unlessCorrupt } from './record.ts'

const promotedTogether = 16

/** Puts delayed tasks that are due by now in their documented place. */
export const createPromotion = ({
  queue,
  records,
  inbox,
  clock,
  logger,
  inTurn,
}: InboxTools): (() => Promise<void>) => {
  const reported = new Set<string>()

  const report = (path: string, reason: string): void => {
    if (reported.has(path)) return
    reported.add(path)
    logger.error('A task cannot be claimed', { path, reason })
  }

  const promote = async (entry: DelayedEntry): Promise<void> => {
    const path = inbox.delayedFile(entry)
    const record = await unlessCorrupt(
      () => records.load(entry),
      ({ message }) => report(path, message),
    )
    if (!record) return
    await queue.enter(path, record, entry.version)
    await queue.left({ project: null, path })
  }

  const dueEntries = async (): Promise<DelayedEntry[]> => {
    const due: DelayedEntry[] = []
    const slices = createSlices()
    for (let entry = await queue.delayed.next(); entry; entry = await queue.delayed.next()) {
      if (slices.isOver()) await slices.next()
      if (entry.due > clock.now()) {
        queue.delayed.putBack(entry)
        break
      }
      due.push(entry)
    }
    return due
  }

  const promoteDue = async (): Promise<void> => {
    await queue.delayed.refresh()
    const due = await dueEntries()
    try {
      await mapSome(due, promotedTogether, promote)
    } finally {
      // What an error left where it was is due again; what went is in the index no more.
      for (const entry of due) queue.delayed.putBack(entry)
    }
  }

  return () => inTurn('promote', promoteDue)
}
