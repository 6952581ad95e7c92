import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Backend, EnqueueTask } from '@nexus/core'
import { type FreshDatabase, freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { openStores } from './stores.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const agent = fileURLToPath(new URL('agents/agent.mjs', import.meta.url))
const shellAgent = fileURLToPath(new URL('agents/agent.sh', import.meta.url))

export const projects = ['alpha', 'beta', 'gamma-shop'] as const
export const steps = ['triage', 'develop', 'review'] as const

/** How a proof routes the stores, without the DSN. */
export type Routing = Readonly<Record<string, string>>

export const routings: Readonly<Record<string, Routing>> = {
  files: { NEXUS_STORAGE_BACKEND: 'filesystem' },
  postgres: { NEXUS_STORAGE_BACKEND: 'postgres' },
  'inbox and completions on postgres, the rest on files': {
    NEXUS_INBOX_BACKEND: 'postgres',
    NEXUS_COMPLETION_BACKEND: 'postgres',
  },
}

/** One line of what agents wrote down themselves. */
export interface AgentNote {
  word: 'START' | 'END'
  project: string
  issue: string
  step: string
  attempt: string
}

/** A root with three projects, agents and a host program to run on it. */
export interface World extends AsyncDisposable {
  readonly root: string
  readonly database: FreshDatabase
  /** The host program; its output is kept for the failure message. */
  startHost(...flags: string[]): ChildProcess & { said: string[] }
  /** The stores as the host routes them. */
  openStores(): Promise<Backend>
  notes(): Promise<AgentNote[]>
  /** Writes a task file in place and not at once, as an editor does. */
  editorDrops(project: string, filename: string, markdown: string): Promise<void>
}

type Agents = (log: string) => Record<'triage' | 'developer' | 'reviewer', string>

const usualAgents: Agents = (log) => {
  const node = (how: string) => `{ command: ['${process.execPath}', '${agent}', ${how}, '${log}'] }`
  return { triage: node('post'), developer: `{ command: "sh '${shellAgent}' '${log}'" }`, reviewer: node('either') }
}

const configuration = (agents: ReturnType<Agents>): string => `
projects:
${projects.map((project) => `  ${project}: { workspace: ./${project}, workflow: chain }`).join('\n')}
agents:
${Object.entries(agents)
  .map(([role, definition]) => `  ${role}: ${definition}`)
  .join('\n')}
workflows:
  chain:
    steps:
      - { id: triage, agent_type: triage, prompt: 'Triage this.' }
      - { id: develop, agent_type: developer, prompt: 'Develop this.' }
      - { id: review, agent_type: reviewer, prompt: 'Review this.', final_step: true }
concurrency: 4
`

const parseNotes = (text: string): AgentNote[] =>
  text
    .split('\n')
    // What stands behind the last line's end is still being written.
    .slice(0, -1)
    .map((line) => {
      const [word = '', project = '', issue = '', step = '', attempt = ''] = line.split(' ')
      return { word: word as AgentNote['word'], project, issue, step, attempt }
    })

export interface WorldOptions {
  /** The section of nexus.yaml, from the place where agents note their starts; the usual three unless given. */
  agents?: Agents
  /** A PostgreSQL server of its own; the run's unless given. */
  server?: string
  /** The host program; the built one unless given. */
  program?: string
  /** More variables for the host. */
  env?: Readonly<Record<string, string>>
}

export const createWorld = async (
  routing: Routing,
  { agents = usualAgents, server, program = main, env = {} }: WorldOptions = {},
): Promise<World> => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-real-'))
  const database = await freshDatabase(server ?? (await testDsn()))
  const log = join(root, 'agents.log')
  for (const project of projects) await mkdir(join(root, project))
  await writeFile(join(root, 'nexus.yaml'), configuration(agents(log)))
  const nexus = join(root, '.nexus')
  const variables = { ...routing, NEXUS_STORAGE_DSN: database.dsn, NEXUS_DIR: nexus }
  const hosts: ChildProcess[] = []

  return {
    root,
    database,
    startHost(...flags) {
      const child = spawn(process.execPath, [program, 'run', '--config', join(root, 'nexus.yaml'), ...flags], {
        cwd: root,
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...variables, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const said: string[] = []
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => said.push(text))
      hosts.push(child)
      return Object.assign(child, { said })
    },
    openStores: () => openStores(variables),
    notes: async () => (existsSync(log) ? parseNotes(await readFile(log, 'utf8')) : []),
    async editorDrops(project, filename, markdown) {
      const folder = join(nexus, 'inbox', project)
      await mkdir(folder, { recursive: true })
      const file = await open(join(folder, filename), 'w')
      const half = Math.ceil(markdown.length / 2)
      await file.write(markdown.slice(0, half))
      await new Promise((resolve) => setTimeout(resolve, 30))
      await file.write(markdown.slice(half))
      await file.close()
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts)
        if (host.exitCode === null && host.signalCode === null) {
          const gone = once(host, 'exit')
          host.kill('SIGKILL')
          await gone
        }
      await database[Symbol.asyncDispose]()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** The text of the n-th task, in one of the forms the field has. */
export const taskMarkdown = (n: number): string =>
  n % 3 === 0
    ? `Only one sentence, nummer ${n}: die Prüfung schlägt fehl.\n`
    : `# Feature\n**Project:** any\n**Type:** feature\n**Task Name:** task-${n}\n**Status:** Pending\n\nThe cart forgets ${n}.\n\n---\n**Source:** inbox\n`

export const enqueuedTask = (n: number, project: string): EnqueueTask => ({
  project,
  filename: `enqueued-${n}.md`,
  markdown: taskMarkdown(n),
})
