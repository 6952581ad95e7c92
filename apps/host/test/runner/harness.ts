import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { silentLogger, systemClock } from '@nexus/core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { createRunner, type LaunchSpec, type Runner, type RunnerOptions } from '../../src/runner/index.ts'
import { readProcess } from '../../src/runner/process-table.ts'
import { buildPrograms, type Programs } from './programs.ts'

/** Resolves with the first truthy answer; looks again until the deadline. */
export async function until<T>(what: string, look: () => T | Promise<T>, withinMs = 15_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const value = await look()
    if (value) return value
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** An agent that reads from it goes on when a test writes to it. */
export const makeFifo = (path: string) => promisify(execFile)('mkfifo', [path])

export const isAlive = (pid: number): boolean => readProcess(pid)?.ended === false

/** The pids of the processes whose command line names this text. */
export async function processesNaming(text: string): Promise<number[]> {
  const found: number[] = []
  for (const pid of (await readdir('/proc')).map(Number).filter(Number.isInteger)) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(text)) found.push(pid)
  }
  return found
}

export type Timing = Pick<RunnerOptions, 'leaseMs' | 'graceMs' | 'pollMs'>

export interface Launcher {
  readonly process: ChildProcessWithoutNullStreams
  nextLine(): Promise<string>
}

/** A fresh root (its path has a blank) per test, and programs built once per file. Ends what a test left running. */
export function useRuns() {
  let programs: Programs
  let root: string
  let runners: Runner[] = []
  let launchers: Launcher[] = []

  beforeAll(async () => {
    programs = await buildPrograms()
  })
  afterAll(() => programs[Symbol.asyncDispose]())
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'nexus runs '))
  })
  afterEach(async () => {
    for (const launcher of launchers) launcher.process.kill('SIGKILL')
    const cleaner = open()
    for (const attempt of await cleaner.list()) {
      await cleaner.stop(attempt)
      if ((await cleaner.observe(attempt)).status === 'running') await cleaner.waitForEnd(attempt)
    }
    for (const runner of runners) await runner.close()
    runners = []
    launchers = []
    await rm(root, { recursive: true, force: true })
  })

  const options = <T extends Partial<RunnerOptions>>(timing: T) => ({
    root,
    supervisorPath: programs.supervisor,
    leaseMs: 30_000,
    graceMs: 300,
    pollMs: 50,
    ...timing,
  })

  function open(timing: Partial<RunnerOptions> = {}): Runner {
    const runner = createRunner({ clock: systemClock, logger: silentLogger, ...options(timing) })
    runners.push(runner)
    return runner
  }

  /** Another process that will launch this; `go` by writing a line to it. */
  async function launcher(
    given: LaunchSpec,
    timing: Timing = {},
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<Launcher> {
    const order = JSON.stringify({ options: options(timing), spec: given })
    const child = spawn(process.execPath, [programs.launcher, order], { env, detached: true })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const made: Launcher = {
      process: child,
      nextLine: async () => String((await lines.next()).value),
    }
    launchers.push(made)
    await made.nextLine()
    return made
  }

  return {
    open,
    launcher,
    get root() {
      return root
    },
    spec: (command: LaunchSpec['command'], more: Partial<LaunchSpec> = {}): LaunchSpec => ({
      attempt: `a-${randomUUID()}`,
      command,
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '' },
      prompt: '',
      ...more,
    }),
    output: (runner: Runner, attempt: string) => readFile(runner.folder(attempt).output, 'utf8'),
  }
}
