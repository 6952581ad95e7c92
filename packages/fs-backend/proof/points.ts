import { join } from 'node:path'
import { type Call, calls, trace } from './strace.ts'
import { startWriter } from './writing.ts'

/** One system call of the writer: the n-th of its kind. */
export interface Point {
  call: Call
  n: number
}

/** Every system call of so many rounds. */
export const pointsOf = async (programs: string, folder: string, rounds: number): Promise<Point[]> => {
  const writer = await startWriter(programs, join(folder, 'counted'))
  const tracer = await trace(writer.pid)
  await writer.go(1, rounds)
  const counts = await tracer.counts()
  await writer.kill()
  return (Object.keys(calls) as Call[]).flatMap((call) =>
    Array.from({ length: counts.get(call) ?? 0 }, (_, n) => ({ call, n: n + 1 })),
  )
}
