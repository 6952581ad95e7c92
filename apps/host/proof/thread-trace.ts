import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The system calls by which a host has effects. A call has several names; the other machine's is ignored. */
const calls = {
  openat: 'openat',
  write: 'write,writev,pwrite64',
  fsync: 'fsync',
  rename: '?rename,?renameat,?renameat2',
  link: '?link,?linkat',
  unlink: '?unlink,?unlinkat,?rmdir',
  mkdir: '?mkdir,?mkdirat',
  touch: 'utimensat',
  spawn: '?clone,?clone3,?vfork,?fork',
} as const
type Call = keyof typeof calls

/** One system call of a process: the n-th of its kind in the thread that makes the most of them. */
export interface Point {
  call: Call
  n: number
}

type Counts = ReadonlyMap<Call, number>

/** The tracer counts each name by itself, in each thread. */
const countsIn = (text: string): Counts => {
  const found = new Map<string, number>()
  for (const [, thread = '', name = ''] of text.matchAll(/^(\d+) +(\w+)\(/gm))
    found.set(`${thread} ${name}`, (found.get(`${thread} ${name}`) ?? 0) + 1)
  const most = (names: readonly string[]): number =>
    Math.max(0, ...[...found].filter(([key]) => names.includes(key.split(' ')[1] ?? '')).map(([, n]) => n))
  return new Map((Object.keys(calls) as Call[]).map((call) => [call, most(calls[call].replaceAll('?', '').split(','))]))
}

/** Every point of a run that made so many calls. */
export const pointsIn = (counts: Counts): Point[] =>
  [...counts].flatMap(([call, count]) => Array.from({ length: count }, (_, n) => ({ call, n: n + 1 })))

export interface Tracer {
  /** Lets the process go on untraced. */
  end(): Promise<void>
  counts(): Promise<Counts>
}

/**
 * Traces the threads that a running process has by now, and nothing that it starts: its children, and theirs, are none of
 * the point's business. Kills it at the point where one is given.
 */
export const traceThreads = async (pid: number, point: Point | null): Promise<Tracer> => {
  const log = join(tmpdir(), `nexus-strace-${pid}-${process.hrtime.bigint()}`)
  const traced = point ? calls[point.call] : Object.values(calls).join(',')
  const fault = point ? ['-e', `inject=${calls[point.call]}:signal=KILL:when=${point.n}`] : []
  const threads = readdirSync(`/proc/${pid}/task`).flatMap((thread) => ['-p', thread])
  const child = spawn('strace', ['-o', log, ...threads, '-e', `trace=${traced}`, '-s', '0', ...fault], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.split('attached').length - 1 >= threads.length / 2) resolve()
    })
    child.once('error', reject)
    ended.then(() => reject(new Error(`strace cannot trace the host: ${said}`)), reject)
  })
  const end = async (): Promise<void> => {
    child.kill('SIGINT')
    await ended
  }
  return {
    end: async () => {
      await end()
      await rm(log, { force: true })
    },
    async counts() {
      await end()
      const text = await readFile(log, 'utf8')
      await rm(log, { force: true })
      return countsIn(text)
    },
  }
}
