import type { FsTools } from '../tools.ts'
import { compareIds, type InboxLayout } from './inbox-layout.ts'

/**
 * Ids of new tasks: greater than every one that was given here, and than those of tasks that moved here, whose clock may
 * have been ahead of ours.
 */
export interface TaskIds {
  /** For one call. */
  open(): Promise<() => string>
  /** All ids from now on are greater than this one. */
  raise(id: string): Promise<void>
}

/** Characters of an id that say when it was made. */
const timeLength = 11

const digits = (text: string): bigint =>
  [...text].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n)

const timeOf = (id: string): bigint => digits(id.slice(0, timeLength).padEnd(timeLength, 'z'))

export const createTaskIds = ({ atomic, reading, ids }: FsTools, layout: InboxLayout): TaskIds => {
  let last = 0n
  const floor = async (): Promise<string | null> => (await reading.read(layout.idFloor))?.bytes.toString('utf8') ?? null

  const beyond = (floorId: string, id: string): string => {
    const least = timeOf(floorId)
    if (least > last) last = least
    last += 1n
    return last.toString(36).padStart(timeLength, '0') + id.slice(timeLength)
  }

  return {
    async open() {
      const least = await floor()
      return () => {
        const id = ids.next()
        return least === null || compareIds(id, least) > 0 ? id : beyond(least, id)
      }
    },
    async raise(id) {
      const least = await floor()
      if (compareIds(id, ids.next()) < 0 || (least !== null && compareIds(id, least) <= 0)) return
      await atomic.replace(layout.idFloor, id)
    },
  }
}
