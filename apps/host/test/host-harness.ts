import { mkdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Backend, type BackendContext, createIds, type LogFields, type Logger, systemClock } from '@nexus/core'
import { openMailbox } from '@nexus/fs-backend'
import { createMemoryData, type MemoryData, openMemoryBackend } from '@nexus/testkit'
import { build } from 'tsup'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { readHostConfig } from '../src/config/read.ts'
import { type Host, openHost } from '../src/host.ts'
import { createWorkspaceMailbox } from '../src/intake/workspace-mailbox.ts'
import type { Timing } from '../src/loop/timing.ts'
import { createRunner, type Runner } from '../src/runner/index.ts'
import { plainStorage, type Storage } from '../src/telemetry/storage.ts'

export const agentPath = (name: string): string => fileURLToPath(new URL(`agents/${name}`, import.meta.url))

const fastTiming: Partial<Timing> = {
  heartbeatMs: 200,
  renewMs: 500,
  sweepMs: 500,
  pollMs: 100,
  idlePollMs: 100,
  unavailableMs: 50,
  busyMs: 100,
  pausedMs: 400,
  // Longer than a summary file must stand still before it is given up (2 s), as in the default.
  summaryMs: 3_000,
  lingerMs: 300,
}

interface LogLine {
  level: string
  message: string
  fields: LogFields
}

export interface Line {
  attempt: string
  project: string
  issue: string
  step: string
}

export interface Bench {
  readonly root: string
  readonly workspace: string
  readonly stores: Backend
  readonly data: MemoryData
  readonly context: BackendContext
  readonly log: LogLine[]
  readonly runner: Runner
  /** Writes nexus.yaml: these agents (a command, or all members), one step each; every project works in the same workspace. */
  configure(agents: Record<string, string | object>, projects?: readonly string[]): Promise<void>
  /** Writes nexus.yaml as it stands here, as JSON. */
  write(text: object): Promise<void>
  /** Another host on the same data; `worker` unless it is to be another process. */
  open(options?: {
    timing?: Partial<Timing>
    stores?: Backend
    inOutage?: () => Promise<boolean>
    storage?: Storage
  }): Promise<Host>
  once(host?: Host): Promise<string>
  starts(): Promise<Line[]>
}

const buildSupervisor = async (outDir: string): Promise<string> => {
  const entry = { supervisor: fileURLToPath(new URL('../src/supervisor.ts', import.meta.url)) }
  await build({
    config: false,
    silent: true,
    entry,
    outDir,
    format: 'esm',
    target: 'node20.19',
    removeNodeProtocol: false,
    outExtension: () => ({ js: '.mjs' }),
  })
  return join(outDir, 'supervisor.mjs')
}

/** A fresh root, workspace and memory backend for each test, hosts in this process, agents as real processes. */
export const useBench = (): (() => Bench) => {
  let programs: string
  let supervisorPath: string
  let bench: (Bench & { close(): Promise<void> }) | null = null

  beforeAll(async () => {
    programs = await mkdtemp(join(tmpdir(), 'nexus-host-'))
    supervisorPath = await buildSupervisor(programs)
  })
  afterAll(() => rm(programs, { recursive: true, force: true }))
  beforeEach(async () => {
    bench = await createBench(supervisorPath)
  })
  afterEach(() => bench?.close())
  return () => {
    if (!bench) throw new Error('no test is running')
    return bench
  }
}

const createLog = (log: LogLine[]): Logger => {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void log.push({ level, message, fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

const createBench = async (supervisorPath: string): Promise<Bench & { close(): Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus bench '))
  const root = join(folder, '.nexus')
  const workspace = join(folder, 'shop')
  mkdirSync(workspace)
  mkdirSync(root)
  const log: LogLine[] = []
  const logger = createLog(log)
  const ids = createIds(systemClock)
  const context: BackendContext = {
    clock: systemClock,
    ids,
    logger,
    liveness: (worker) => (worker === 'w1' ? 'alive' : 'dead'),
  }
  const data = createMemoryData()
  const mailbox = await openMailbox({ root, ...context })
  const elsewhere = join(workspace, '.nexus')
  const below = (folder: string) => createWorkspaceMailbox(folder, () => openMailbox({ root: folder, ...context }), 50)
  const stores = openMemoryBackend(context, data)
  const runner = createRunner({
    root,
    supervisorPath,
    clock: systemClock,
    logger,
    leaseMs: 20_000,
    graceMs: 300,
    pollMs: 50,
  })
  const file = join(folder, 'nexus.yaml')
  const hosts: Host[] = []

  const bench: Bench = {
    root,
    workspace,
    stores,
    data,
    context,
    log,
    runner,
    write: (text) => writeFile(file, JSON.stringify(text, null, 2)),
    async configure(agents, projects = ['shop']) {
      const text = {
        projects: Object.fromEntries(projects.map((key) => [key, { workspace }])),
        agents: Object.fromEntries(
          Object.entries(agents).map(([role, command]) => [role, typeof command === 'string' ? { command } : command]),
        ),
        workflows: {
          chain: {
            steps: Object.keys(agents).map((role, index) => ({
              id: `s${index + 1}`,
              agent_type: role,
              prompt: `Do ${role}.`,
            })),
          },
        },
      }
      await bench.write(text)
    },
    async open({ timing = {}, stores: own = stores, inOutage = async () => false, storage = plainStorage } = {}) {
      const config = readHostConfig(file)
      const host = await openHost({
        config,
        stores: own,
        mailboxes: {
          own: mailbox,
          others: [below(elsewhere)],
          below,
        },
        runner,
        root,
        worker: 'w1',
        clock: systemClock,
        ids,
        logger,
        env: process.env,
        timing: { ...fastTiming, ...timing },
        inOutage,
        storage,
      })
      hosts.push(host)
      return host
    },
    async once(host) {
      const used = host ?? (await bench.open())
      return used.run({ once: true, signal: AbortSignal.timeout(40_000) })
    },
    async starts() {
      const text = await readFile(join(workspace, 'starts.log'), 'utf8').catch(() => '')
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [attempt = '', project = '', issue = '', step = ''] = line.split(' ')
          return { attempt, project, issue, step }
        })
    },
  }
  return {
    ...bench,
    async close() {
      for (const host of hosts) await host.close()
      for (const attempt of await runner.list()) {
        await runner.stop(attempt)
        if ((await runner.observe(attempt)).status === 'running') await runner.waitForEnd(attempt)
      }
      await runner.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
