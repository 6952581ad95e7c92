import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Case } from './programs/verifier.ts'

export interface Writer {
  pid: number
  process: ChildProcess
  /** What it said of its operations. */
  log: string[]
  /** Has it do rounds. True when it is through, false when it ended before. */
  go(from: number, to: number): Promise<boolean>
  /** Has it do rounds until so many acknowledgements; then it waits. */
  goUntil(from: number, to: number, acks: number): Promise<boolean>
  /** Lets it work; `said` hears each line at once. */
  start(from: number, to: number, said: () => void): void
  kill(): Promise<void>
}

/** One thread for all file work, so that a fault's number means the same call in every run. */
const environment = { ...process.env, UV_THREADPOOL_SIZE: '1' }

export const startWriter = async (programs: string, root: string): Promise<Writer> => {
  const child = spawn(process.execPath, [join(programs, 'writer.mjs'), root], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment,
  })
  const log: string[] = []
  const listeners = new Set<(line: string | null) => void>()
  const tell = (line: string | null): void => {
    for (const listener of [...listeners]) listener(line)
  }
  const output = createInterface(child.stdout)
  output.on('line', (line) => {
    log.push(line)
    tell(line)
  })
  const ended = Promise.all([once(child, 'exit'), once(output, 'close')]).then(() => tell(null))
  // A killed process reads nothing more.
  child.stdin.on('error', () => undefined)
  const until = (wanted: string): Promise<boolean> =>
    new Promise((resolve) => {
      const listener = (line: string | null): void => {
        if (line !== null && line !== wanted) return
        listeners.delete(listener)
        resolve(line !== null)
      }
      listeners.add(listener)
      if (child.exitCode !== null || child.signalCode !== null) listener(null)
    })
  const send = (line: string): Promise<boolean> => {
    const done = until('END')
    child.stdin.write(`${line}\n`)
    return done
  }
  if (!(await until('READY'))) throw new Error('The writer cannot open its root.')
  return {
    pid: child.pid ?? 0,
    process: child,
    log,
    go: (from, to) => send(`go ${from} ${to}`),
    goUntil: (from, to, acks) => send(`go ${from} ${to} ${acks}`),
    start(from, to, said) {
      listeners.add(said)
      child.stdin.write(`go ${from} ${to}\n`)
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

export interface Verified {
  acked: number
  lost: number
  dup: number
  torn: number
  order: number
  stray: number
  /** What was wrong, in words. */
  faults: string
}

/** Has a new process read what the writers left. */
export const verify = async (programs: string, cases: readonly Case[]): Promise<Verified> => {
  const manifest = join(programs, `cases-${process.hrtime.bigint()}.json`)
  await writeFile(manifest, JSON.stringify(cases))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(programs, 'verifier.mjs'), manifest], {
    maxBuffer: 64 * 1024 * 1024,
  })
  await rm(manifest)
  const figures = Object.fromEntries([...stdout.matchAll(/(\w+)=(\d+)/g)].map(([, key, n]) => [key, Number(n)]))
  const { acked = 0, lost = 0, dup = 0, torn = 0, order = 0, stray = 0 } = figures
  return { acked, lost, dup, torn, order, stray, faults: stderr }
}

/** Whether the proof is to be run at every point. */
export const isLong = process.env['NEXUS_PROOF'] === 'long'

/** Thousands of processes one after the other, in milliseconds. */
export const longest = 3_600_000

export const freshFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'nexus-fs-proof-'))

/** The one line that a proof has to say. */
export const report = (proof: string, figures: Record<string, number | string>): void => {
  const words = Object.entries(figures).map(([key, value]) => `${key}=${value}`)
  process.stdout.write(`${proof}: ${words.join(' ')}\n`)
}

/** `count` of them, evenly over all; all where there are fewer. */
export const sample = <T>(all: readonly T[], count: number): T[] =>
  all.length <= count
    ? [...all]
    : Array.from({ length: count }, (_, n) => all[Math.floor((n * all.length) / count)] as T)

/** Works off all of them, two at a time. */
export const inPairs = async <T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = []
  const queue = [...all.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1])
  }
  await Promise.all([worker(), worker()])
  return results
}
