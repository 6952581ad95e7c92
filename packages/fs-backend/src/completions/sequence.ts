import { join } from 'node:path'
import type { FsTools } from '../tools.ts'

/** Numbers that only grow, over all processes and restarts, whatever the clocks say. */
export interface Sequence {
  /** `settled`: it is on the disk. To be awaited before what carries the number can be seen. */
  next(): Promise<{ number: number; settled: Promise<void> }>
  /** All numbers from now on are above this one. */
  raise(number: number): Promise<void>
}

const kept = 8

/**
 * Each number is a file made once. The first is taken from the clock, so that a sequence whose files were lost goes on
 * above the numbers it gave.
 */
export const createSequence = ({ layout, atomic, reading, clock }: FsTools): Sequence => {
  const folder = layout.sequence
  const numbers = async (): Promise<number[]> =>
    (await reading.files(folder)).filter((name) => /^\d{1,16}$/.test(name)).map(Number)
  /** A power cut must not give a later record a lower number. */
  const settle = async (number: number, present: readonly number[]): Promise<void> => {
    await atomic.syncFolder(folder)
    for (const old of present.filter((n) => n < number - kept)) await atomic.loose.remove(join(folder, String(old)))
  }

  return {
    async raise(number) {
      const present = await numbers()
      if (Math.max(0, ...present) < number) await atomic.loose.createOnce(join(folder, String(number)), '')
      await atomic.syncFolder(folder)
    },
    async next() {
      for (;;) {
        const present = await numbers()
        const number = present.length === 0 ? clock.now() * 1000 : Math.max(...present) + 1
        if ((await atomic.loose.createOnce(join(folder, String(number)), '')) === 'exists') continue
        // A slow process can make a number again that was removed long ago: only the highest counts.
        if (Math.max(...(await numbers())) !== number) continue
        const settled = settle(number, present)
        // Whoever gave up before it needed the number hears nothing of it.
        settled.catch(() => undefined)
        return { number, settled }
      }
    },
  }
}
