import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EnqueueTask } from '@nexus/core'
import { stringify } from 'yaml'
import { makeRoot } from '../root-folder.ts'

/** Where one demonstration lies. */
export interface DemoPlace {
  /** `NEXUS_DIR` of the demonstration. */
  root: string
  config: string
  workspace: string
}

export const demoProject = 'demo'

const exampleText = `# Feature
**Type:** feature
**Task Name:** say-hello

Write a friendly hello into result.txt, so that whoever opens this folder feels welcome.
`

/** So many tasks of the same text. */
export const exampleTasks = (count: number): EnqueueTask[] =>
  Array.from({ length: count }, (_, n) => ({
    project: demoProject,
    filename: n === 0 ? 'welcome.md' : `welcome-${n + 1}.md`,
    markdown: exampleText,
  }))

const steps = [
  {
    id: 'triage',
    agent_type: 'triage',
    prompt: 'Read the task and write a short plan into plan.md. Change nothing else.',
  },
  { id: 'develop', agent_type: 'developer', prompt: 'Do what plan.md says, in this folder.', on_success: 'review' },
  {
    id: 'review',
    agent_type: 'reviewer',
    prompt: 'Check what was done against the task. Change nothing.',
    final_step: true,
  },
]

/** A person's own agent signs in as it does in their shell; agents get no other variables of the host's. */
const credentials = /(_API_KEY|_AUTH_TOKEN|_OAUTH_TOKEN|_BASE_URL|_PROXY)$/i

const hostFile = (workspace: string, agent: { command: string | string[]; env?: string[] }): string =>
  stringify({
    projects: { [demoProject]: { workspace, workflow: 'chain' } },
    agents: { triage: { ...agent }, developer: { ...agent }, reviewer: { ...agent } },
    workflows: { chain: { steps } },
  })

const stamp = (now: Date): string => now.toISOString().replace(/[-:]/g, '').replace(/\..*$/, 'Z')

export interface DemoRequest {
  /** The value of `NEXUS_DIR`, if there is one. */
  dir: string | undefined
  /** With a database that is kept, what lies on disk is kept too. */
  kept: boolean
  agent: string | undefined
  /** Of the person: variables that an agent of their own needs are passed through. */
  env: NodeJS.ProcessEnv
  now: Date
}

/** Makes a root for the demonstration (fresh unless one is named) with its configuration and workspace. */
export const makePlace = async ({ dir, kept, agent, env, now }: DemoRequest): Promise<DemoPlace> => {
  const root = resolve(dir?.trim() ? dir : join('.demo', kept ? 'on-postgres' : stamp(now)))
  const workspace = join(root, 'demo', 'workspace')
  const config = join(root, 'demo', 'nexus.yaml')
  await makeRoot(root)
  await mkdir(workspace, { recursive: true })
  const bundled = [process.execPath, fileURLToPath(new URL('./demo-agent.js', import.meta.url))]
  const passed = Object.keys(env).filter((name) => credentials.test(name))
  const chosen =
    agent === undefined ? { command: bundled } : { command: agent, ...(passed.length > 0 && { env: passed }) }
  await writeFile(config, hostFile('./workspace', chosen))
  return { root, config, workspace }
}
