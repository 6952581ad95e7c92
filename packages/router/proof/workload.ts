import { setImmediate } from 'node:timers/promises'
import type { Backend } from '@nexus/core'

/** One write that goes on and on, as the caller sees it. */
interface Line {
  write(n: number): Promise<unknown>
  /** What was acknowledged: its number and when, in milliseconds. */
  acks: { n: number; at: number }[]
  /** The last that was tried. */
  tried: number
}

export interface Workload {
  acks(): number
  refused(): number
  /** Resolves when so many more were acknowledged. */
  more(count: number): Promise<void>
  /** Ends the writers; what was under way is waited for. */
  stop(): Promise<void>
  /** The longest time without an acknowledgement since then, in milliseconds. */
  longestGap(since: number): number
  /** Compares what was acknowledged with what is there. */
  verify(backend: Backend): Promise<{ acked: number; lost: number; dup: number }>
}

const project = 'alpha'
const lanes = [1, 2, 3, 4]

const stateLine = ({ hostState }: Backend, lane: number): Line => ({
  write: (n) => hostState.save(`counter-${lane}`, { n }),
  acks: [],
  tried: 0,
})

const completionLine = ({ completions }: Backend, lane: number): Line => ({
  write: (n) =>
    completions.save({
      project,
      issueNumber: `${lane}-${n}`,
      agentType: 'developer',
      status: 'complete',
      summary: 'Done',
      payload: { n },
      reportId: null,
    }),
  acks: [],
  tried: 0,
})

const everyCompletion = async ({ completions }: Backend): Promise<string[]> => {
  const issues: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await completions.scan({ limit: 1000, ...(cursor !== undefined && { cursor }) })
    issues.push(...page.items.map(({ issueNumber }) => issueNumber))
    if (page.cursor === null) return issues
    cursor = page.cursor
  }
}

/** Four writers count in a key each, and four save a completion each time; whatever is refused, they go on with the next. */
export const startWorkload = (backend: Backend): Workload => {
  const states = lanes.map((lane) => stateLine(backend, lane))
  const reports = lanes.map((lane) => completionLine(backend, lane))
  const lines = [...states, ...reports]
  const waiting = new Set<() => void>()
  let refused = 0
  let isStopped = false

  const run = async (line: Line): Promise<void> => {
    while (!isStopped) {
      line.tried += 1
      const n = line.tried
      try {
        await line.write(n)
        line.acks.push({ n, at: performance.now() })
        for (const wake of waiting) wake()
      } catch {
        refused += 1
        await setImmediate()
      }
    }
  }
  const running = Promise.all(lines.map(run))
  const acks = (): number => lines.reduce((sum, line) => sum + line.acks.length, 0)

  return {
    acks,
    refused: () => refused,
    more(count) {
      const wanted = acks() + count
      return new Promise((resolve) => {
        const look = (): void => {
          if (acks() < wanted) return
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
      const times = lines.flatMap((line) => line.acks.map(({ at }) => at)).sort((a, b) => a - b)
      const gaps = times.map((at, i) => at - (times[i - 1] ?? at)).filter((_, i) => (times[i] ?? 0) >= since)
      return Math.round(Math.max(...gaps))
    },
    async verify(found) {
      const issues = await everyCompletion(found)
      const there = new Set(issues)
      let lost = 0
      for (const [i, { acks }] of reports.entries())
        lost += acks.filter(({ n }) => !there.has(`${lanes[i]}-${n}`)).length
      for (const [i, { acks }] of states.entries()) {
        const value = (await found.hostState.load(`counter-${lanes[i]}`))?.value as { n: number } | undefined
        // A later one than was acknowledged may be there: its answer was lost.
        lost += acks.filter(({ n }) => n > (value?.n ?? 0)).length
      }
      return { acked: acks(), lost, dup: issues.length - there.size }
    },
  }
}
