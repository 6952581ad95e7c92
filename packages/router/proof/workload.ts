import { setImmediate } from 'node:timers/promises'
import type { Backend } from '@nexus/core'
import type { Acknowledged } from './world.ts'

/** Writers that go on and on, whatever is refused. */
export interface Workload {
  /** In the order of each writer. */
  acknowledged: readonly Acknowledged[]
  refused(): number
  /** Resolves when so many more were acknowledged. */
  more(count: number): Promise<void>
  /** Ends the writers; what is under way is waited for. */
  stop(): Promise<void>
  /** The longest time without an acknowledgement since then, in milliseconds. */
  longestGap(since: number): number
}

type Write = (marker: string) => Promise<unknown>

const lanes = [1, 2, 3, 4]

/** Each writer has a key of its own, and each of its writes replaces the one before. */
const writers = ({ hostState, completions }: Backend): { key: string; name: string; write: Write }[] => [
  ...lanes.map((lane) => ({
    key: `counter-${lane}`,
    name: `s${lane}`,
    write: (marker: string) => hostState.save(`counter-${lane}`, { marker }),
  })),
  ...lanes.map((lane) => ({
    key: `${lane}:developer:complete`,
    name: `c${lane}`,
    write: (marker: string) =>
      completions.save({
        project: 'alpha',
        issueNumber: String(lane),
        agentType: 'developer',
        status: 'complete',
        summary: 'Done',
        payload: { marker },
        reportId: marker,
      }),
  })),
]

export const startWorkload = (backend: Backend): Workload => {
  const acknowledged: Acknowledged[] = []
  const times: number[] = []
  const waiting = new Set<() => void>()
  let refused = 0
  let isStopped = false

  const run = async ({ key, name, write }: ReturnType<typeof writers>[number]): Promise<void> => {
    for (let n = 1; !isStopped; n += 1) {
      const marker = `op-${name}-${n}-`
      try {
        await write(marker)
        acknowledged.push({ marker, key })
        times.push(performance.now())
        for (const wake of waiting) wake()
      } catch {
        refused += 1
        await setImmediate()
      }
    }
  }
  const running = Promise.all(writers(backend).map(run))

  return {
    acknowledged,
    refused: () => refused,
    more(count) {
      const wanted = times.length + count
      return new Promise((resolve) => {
        const look = (): void => {
          if (times.length < wanted) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      })
    },
    async stop() {
      isStopped = true
      await running
    },
    longestGap(since) {
      const gaps = times.map((at, i) => (at < since ? 0 : at - (times[i - 1] ?? at)))
      return Math.round(Math.max(...gaps))
    },
  }
}
