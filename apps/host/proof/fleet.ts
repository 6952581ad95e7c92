import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Backend } from '@nexus/core'
import { startHost as startMachine } from '../../../packages/fs-backend/proof/hosts.ts'
import type { Pace } from '../src/compose.ts'
import { openStores } from './stores.ts'

const agent = fileURLToPath(new URL('agents/fickle.mjs', import.meta.url))

/** A claim is free after 6 s without its holder; an agent is ended 2.5 s after its last renewal, so before that. */
const pace = {
  timing: {
    leaseMs: 6_000,
    heartbeatMs: 800,
    renewMs: 400,
    sweepMs: 500,
    pollMs: 300,
    unavailableMs: 200,
    busyMs: 500,
    pausedMs: 1_000,
    lingerMs: 1_000,
    summaryMs: 600,
  },
  runner: { leaseMs: 2_500, graceMs: 300, pollMs: 150 },
} as const satisfies Pace

/** How long a host must be away for another one to have taken its tasks, in milliseconds. */
export const beyondLeaseMs = pace.timing.leaseMs + 3_000

export interface FleetPlan {
  /** The host program, which takes the configuration and the pace. */
  program: string
  /** Null: all on files, which is one host. */
  dsn: string | null
  hosts: number
  projects: number
  seed: number
  /** Of a hundred last steps so many take twelve seconds. */
  slowPercent: number
}

/** A line that an agent wrote down. */
export interface Note {
  word: 'START' | 'END' | 'LATE'
  project: string
  issue: string
  step: string
  attempt: string
  kind: string
  /** Wall clock, milliseconds. */
  at: number
  /** Where it was told to report: below its host's root. */
  file: string
}

/** A host with a root of its own. The last of several is a machine of its own as well, as far as hosts can tell. */
export interface Member {
  readonly root: string
  readonly isMachine: boolean
  readonly said: string[]
  isUp(): boolean
  start(): Promise<void>
  /** SIGKILL to the host program. */
  kill(): Promise<void>
  /** The end of everything that runs on the machine. */
  crash(): Promise<void>
  /** SIGSTOP and SIGCONT; `whole`: to everything that runs on the machine. */
  freeze(whole: boolean): Promise<void>
  thaw(whole: boolean): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  end(): Promise<number | null>
}

export interface Fleet extends AsyncDisposable {
  readonly members: readonly Member[]
  readonly projects: readonly string[]
  openStores(): Promise<Backend>
  notes(): Note[]
}

const configuration = (plan: FleetPlan, folder: string, projects: readonly string[]): string => {
  const command = [process.execPath, agent, folder, String(plan.seed), String(plan.slowPercent)]
  return JSON.stringify({
    projects: Object.fromEntries(projects.map((key) => [key, { workspace: join(folder, key), workflow: 'chain' }])),
    agents: {
      triage: { command, timeout_seconds: 2 },
      developer: { command, timeout_seconds: 2 },
      reviewer: { command, timeout_seconds: 15 },
    },
    workflows: {
      chain: {
        steps: [
          { id: 'triage', agent_type: 'triage', prompt: 'Triage this.' },
          { id: 'develop', agent_type: 'developer', prompt: 'Develop this.' },
          { id: 'review', agent_type: 'reviewer', prompt: 'Review this.', final_step: true },
        ],
      },
    },
    concurrency: 6,
    // Agents that fail five times in a row are to be expected of these, and waited for.
    fuse: { failures: 5, cool_down_seconds: 3 },
  })
}

const childrenOf = (pid: number): number[] =>
  existsSync(`/proc/${pid}/task/${pid}/children`)
    ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
    : []

interface MemberPlace {
  root: string
  isMachine: boolean
  command: readonly string[]
  env: NodeJS.ProcessEnv
}

const createMember = ({ root, isMachine, command, env }: MemberPlace): Member & AsyncDisposable => {
  const said: string[] = []
  let machine: Awaited<ReturnType<typeof startMachine>> | null = null
  let child: ChildProcess | null = null
  let gone: Promise<unknown> = Promise.resolve()

  // What enters a machine waits for what it started there.
  const pid = (): number => {
    const started = child?.pid ?? 0
    return isMachine ? (childrenOf(started)[0] ?? started) : started
  }
  const onMachine = async (script: string): Promise<void> => {
    const [file = '', ...args] = machine?.command ?? []
    await promisify(execFile)(file, [...args, 'sh', '-c', script])
  }
  const signal = (name: NodeJS.Signals): void => void (child && process.kill(pid(), name))

  return {
    root,
    isMachine,
    said,
    isUp: () => child !== null && child.exitCode === null && child.signalCode === null,
    async start() {
      if (isMachine) machine ??= await startMachine()
      const [file = '', ...args] = [...(machine?.command ?? []), ...command]
      const started = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
      for (const stream of [started.stdout, started.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => said.push(text))
      gone = once(started, 'exit')
      child = started
    },
    async kill() {
      signal('SIGKILL')
      await gone
    },
    async crash() {
      const ending = machine
      machine = null
      if (!ending) return this.kill()
      await ending[Symbol.asyncDispose]()
      await gone
    },
    async freeze(whole) {
      if (whole && isMachine) await onMachine('kill -STOP -1')
      else signal('SIGSTOP')
    },
    async thaw(whole) {
      if (whole && isMachine) await onMachine('kill -CONT -1')
      signal('SIGCONT')
      // What entered the machine stopped with what it started there.
      child?.kill('SIGCONT')
    },
    async end() {
      signal('SIGTERM')
      await gone
      return child?.exitCode ?? null
    },
    async [Symbol.asyncDispose]() {
      if (this.isUp()) await this.kill()
      await machine?.[Symbol.asyncDispose]()
    },
  }
}

const variablesOf = (dsn: string | null, root: string): Record<string, string> => ({
  NEXUS_STORAGE_BACKEND: dsn === null ? 'filesystem' : 'postgres',
  NEXUS_DIR: root,
  ...(dsn === null ? {} : { NEXUS_STORAGE_DSN: dsn }),
})

const parseNotes = (log: string): Note[] =>
  (existsSync(log) ? readFileSync(log, 'utf8') : '')
    .split('\n')
    // What stands behind the last line's end is still being written.
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Note)

/** Hosts, each with a root of its own, on the same projects and the same stores. None runs yet. */
export const createFleet = async (plan: FleetPlan): Promise<Fleet> => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-fleet-'))
  const projects = Array.from({ length: plan.projects }, (_, n) => `project-${n}`)
  for (const project of projects) await mkdir(join(folder, project))
  const file = join(folder, 'nexus.yaml')
  await writeFile(file, configuration(plan, folder, projects))
  const members = Array.from({ length: plan.hosts }, (_, n) => {
    const root = join(folder, `host-${n}`)
    return createMember({
      root,
      isMachine: plan.hosts > 1 && n === plan.hosts - 1,
      command: [process.execPath, plan.program, file, JSON.stringify(pace)],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...variablesOf(plan.dsn, root) },
    })
  })
  const [first] = members
  if (!first) throw new Error('A fleet has at least one host.')
  return {
    members,
    projects,
    openStores: () => openStores(variablesOf(plan.dsn, first.root)),
    notes: () => parseNotes(join(folder, 'agents.jsonl')),
    async [Symbol.asyncDispose]() {
      for (const member of members) await member[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
