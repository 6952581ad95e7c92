import { readFileSync, statSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { ConfigError, nameProblem } from '@nexus/core'
import { roleOf, type WorkflowDefinition } from '@nexus/engine'
import { type Document, isMap, isNode, LineCounter, parseDocument, visit } from 'yaml'
import { promptFormOf, promptProblem } from '../runner/command-line.ts'
import { presets } from '../runner/presets.ts'
import type { AgentConfig, HostConfig, ProjectConfig } from './host-config.ts'
import { HostFile } from './schema.ts'

type Path = readonly PropertyKey[]
type Fail = (path: Path, message: string) => never

const example = `projects:
  shop: { workspace: ./shop }
agents:
  developer: { command: 'claude -p' }
workflows:
  chain:
    steps:
      - { id: develop, agent_type: developer, prompt: 'Make the change.' }`

const readText = (file: string, shown: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new ConfigError('', `${shown} cannot be read. Name another file with --config, or write one:\n\n${example}`)
  }
}

/** Where the key or value at this path stands; its nearest parent where it is missing. */
const offsetOf = (document: Document, path: Path): number => {
  const last = path.at(-1)
  if (last === undefined) return isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => String(isNode(key) ? key.toJSON() : key) === String(last))
    const key: unknown = pair?.key
    if (isNode(key) && key.range) return key.range[0]
  }
  const node = document.getIn(path, true)
  return isNode(node) && node.range ? node.range[0] : offsetOf(document, path.slice(0, -1))
}

const pathText = (path: Path): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('')

/** Reads `nexus.yaml`. Throws `ConfigError` naming file, line, column, member and what to do. */
export const readHostConfig = (file: string): HostConfig => {
  const absolute = resolve(file)
  const near = relative(process.cwd(), absolute)
  const shown = near.startsWith('..') ? absolute : near
  const lines = new LineCounter()
  const document = parseDocument(readText(absolute, shown), { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${shown}:${line}:${col}`
  }
  const broken = document.errors[0]
  if (broken) throw new ConfigError('', `${at(broken.pos[0])}: not YAML: ${broken.message}`)
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document)) return
      throw new ConfigError('', `${at(alias.range?.[0] ?? 0)}: not YAML: Unresolved alias *${alias.source}.`)
    },
  })
  const fail: Fail = (path, message) => {
    const where = path.length > 0 ? `${pathText(path)}: ` : ''
    throw new ConfigError(pathText(path), `${at(offsetOf(document, path))}: ${where}${message}`)
  }
  const parsed = HostFile.safeParse(document.toJS())
  if (parsed.success) return understand(parsed.data, absolute, fail)
  // A misspelt member explains the missing one.
  const { issues } = parsed.error
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  if (issue?.code === 'unrecognized_keys')
    return fail([...issue.path, issue.keys[0] ?? ''], 'unknown member. Remove it, or check its spelling.')
  return fail(issue?.path ?? [], issue?.message ?? 'not usable')
}

/** What no schema sees: that the parts fit together. */
const understand = (file: HostFile, path: string, fail: Fail): HostConfig => {
  for (const key of Object.keys(file.projects)) {
    const problem = nameProblem('project', key)
    if (problem) fail(['projects', key], `the project key ${problem}.`)
  }
  const agents = readAgents(file, fail)
  const workflows = new Map(
    Object.entries(file.workflows).map(([name, workflow]) => [name, readWorkflow(name, workflow, agents, fail)]),
  )
  const projects = new Map(
    Object.entries(file.projects).map(([key, project]): [string, ProjectConfig] => [
      key,
      {
        key,
        workspace: workspaceOf(key, project.workspace, path, fail),
        workflow: { full: { definition: chosen(key, project.workflow, workflows, fail), others: [] } },
        tiers: new Map(Object.entries(project.tiers).map(([type, tier]) => [type.trim().toLowerCase(), tier])),
        concurrency: project.concurrency ?? null,
        issuePrefix: prefixOf(key, project.issue_prefix, fail),
      },
    ]),
  )
  return {
    file: path,
    projects,
    agents,
    concurrency: file.concurrency,
    apiPort: file.api.port === 0 ? null : file.api.port,
    onUnreachable: file.on_unreachable,
    fuse: { failures: file.fuse.failures, coolDownMs: file.fuse.cool_down_seconds * 1000 },
    keepRunsDays: file.runs.keep_days,
  }
}

type AgentFile = HostFile['agents'][string]

const howToStart = (
  { preset, args, command, prompt, env }: AgentFile,
  fail: (member: string, message: string) => never,
): Omit<AgentConfig, 'timeoutMs'> => {
  const known = preset === undefined ? null : presets[preset]
  const whole = known ? [...known.command, ...args] : (command ?? [])
  const form = known?.prompt ?? prompt ?? promptFormOf(whole)
  const problem = promptProblem(whole, form)
  if (problem) fail(known ? 'args' : 'command', problem)
  return { command: whole, prompt: form, env: [...(known?.env ?? []), ...env], variables: known?.variables ?? {} }
}

const readAgents = (file: HostFile, fail: Fail): Map<string, AgentConfig> => {
  const agents = new Map<string, AgentConfig>()
  for (const [name, agent] of Object.entries(file.agents)) {
    const role = roleOf(name)
    if (agents.has(role)) fail(['agents', name], `another agent is called ${role} already (case and @ do not count).`)
    const timeoutMs = agent.timeout_seconds === undefined ? null : agent.timeout_seconds * 1000
    agents.set(role, { ...howToStart(agent, (member, message) => fail(['agents', name, member], message)), timeoutMs })
  }
  return agents
}

const readWorkflow = (
  name: string,
  { steps, version, description }: HostFile['workflows'][string],
  agents: ReadonlyMap<string, AgentConfig>,
  fail: Fail,
): WorkflowDefinition => {
  const at = (index: number, member: string): Path => ['workflows', name, 'steps', index, member]
  const ids = steps.map(({ id }) => id)
  for (const [index, step] of steps.entries()) {
    const agent = step.agent_type ?? step.agent ?? ''
    if (ids.indexOf(step.id) !== index) fail(at(index, 'id'), `another step is called "${step.id}" already.`)
    if (!agents.has(roleOf(agent)))
      fail(
        at(index, step.agent_type === undefined ? 'agent' : 'agent_type'),
        `there is no agent "${agent}". Known: ${[...agents.keys()].join(', ')}.`,
      )
    if (step.on_success === undefined) continue
    const target = ids.indexOf(step.on_success)
    if (target < 0) fail(at(index, 'on_success'), `there is no step "${step.on_success}". Known: ${ids.join(', ')}.`)
    if (target <= index) fail(at(index, 'on_success'), 'going back to an earlier step is not supported yet.')
    if (step.final_step) fail(at(index, 'on_success'), 'a final_step is followed by none. Remove one of the two.')
  }
  return {
    name,
    version: String(version ?? '1.0'),
    description: description ?? '',
    timeoutMs: null,
    requireMergeApproval: false,
    steps: steps.map((step) => {
      const timeout = step.timeout_seconds ?? step.timeout
      return {
        id: step.id,
        name: step.name ?? step.id,
        agentType: roleOf(step.agent_type ?? step.agent ?? ''),
        prompt: step.prompt ?? step.prompt_template ?? step.description ?? '',
        condition: null,
        onSuccess: step.on_success ?? null,
        routes: [],
        parallel: [],
        finalStep: step.final_step,
        requireApproval: false,
        timeoutMs: timeout === undefined ? null : timeout * 1000,
        retry: null,
        maxIterations: null,
        context: {},
      }
    }),
  }
}

/** Room for the numbers of a long life. */
const numberDigits = '999999999'

const prefixOf = (key: string, prefix: string, fail: Fail): string => {
  const problem = nameProblem('issueNumber', `${prefix}${numberDigits}`)
  if (problem) fail(['projects', key, 'issue_prefix'], `an issue number such as ${prefix}${numberDigits} ${problem}.`)
  return prefix
}

const workspaceOf = (key: string, workspace: string, file: string, fail: Fail): string => {
  const folder = resolve(dirname(file), workspace)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    fail(['projects', key, 'workspace'], `there is no folder ${folder}. Create it, or name another.`)
  return folder
}

const chosen = (
  key: string,
  name: string | undefined,
  workflows: ReadonlyMap<string, WorkflowDefinition>,
  fail: Fail,
): WorkflowDefinition => {
  const known = [...workflows.keys()].join(', ')
  if (name === undefined) {
    const [only, ...others] = workflows.values()
    if (only && others.length === 0) return only
    return fail(['projects', key], `there are several workflows (${known}). Say which: { workspace: …, workflow: … }`)
  }
  return workflows.get(name) ?? fail(['projects', key, 'workflow'], `there is no workflow "${name}". Known: ${known}.`)
}
