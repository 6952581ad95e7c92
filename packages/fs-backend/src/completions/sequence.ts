import { join } from 'node:path'
import { createShared } from '../shared.ts'
import type { FsTools } from '../tools.ts'

/** Numbers that only grow, over all processes and restarts, whatever the clocks say. */
export interface Sequence {
  /** `settled`: it is on the disk. To be awaited before what carries the number can be seen. */
  next(): Promise<{ number: number; settled: Promise<void> }>
  /** All numbers from now on are above this one. */
  raise(number: number): Promise<void>
}

const kept = 8

/** From `first` to `last`, of nobody else. */
interface Range {
  first: number
  last: number
  settled: Promise<void>
}

/**
 * Whoever makes the highest number as a file, once, has it and those that it passed over, down to the next file below.
 * The first is taken from the clock, so that a sequence whose files were lost goes on above the numbers it gave.
 */
export const createSequence = ({ layout, atomic, reading, clock }: FsTools): Sequence => {
  const folder = layout.sequence
  const numbers = async (): Promise<number[]> =>
    (await reading.fewFiles(folder)).filter((name) => /^\d{1,16}$/.test(name)).map(Number)
  /** A power cut must not give a later record a lower number. */
  const settle = async (number: number, present: readonly number[]): Promise<void> => {
    await atomic.syncFolder(folder)
    for (const old of present.filter((n) => n < number - kept)) await atomic.loose.remove(join(folder, String(old)))
  }

  /** As many, or fewer where another process had some of them. */
  const take = async (count: number): Promise<Range> => {
    for (;;) {
      const present = await numbers()
      const last = (present.length === 0 ? clock.now() * 1000 - 1 : Math.max(...present)) + count
      if ((await atomic.loose.createOnce(join(folder, String(last)), '')) === 'exists') continue
      const others = (await numbers()).filter((number) => number !== last)
      // A slow process can make a number again that was removed long ago: only the highest counts.
      if (others.some((number) => number > last)) continue
      const settled = settle(last, present)
      // Whoever gave up before it needed the number hears nothing of it.
      settled.catch(() => undefined)
      return { first: Math.max(last - count, ...others) + 1, last, settled }
    }
  }

  const share = createShared((wanted: readonly null[]) => take(wanted.length))

  return {
    async raise(number) {
      const present = await numbers()
      if (Math.max(0, ...present) < number) await atomic.loose.createOnce(join(folder, String(number)), '')
      await atomic.syncFolder(folder)
    },
    async next() {
      for (;;) {
        const { nth, answer } = await share(null)
        const { first, last, settled } = answer
        if (first + nth <= last) return { number: first + nth, settled }
      }
    },
  }
}
