import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { nameProblem } from '@nexus/core'
import { linkTiers, meant, type Path, type Tier } from '@nexus/engine'
import type { core } from 'zod'
import { readAgents } from './agents.ts'
import type { HostConfig, ProjectConfig } from './host-config.ts'
import { HostFile, membersAt } from './schema.ts'
import { type ConfigProblem, openSource, problemText, type Source } from './source.ts'
import { besides, isFileName, knownWorkflows, openWorkflows, rolesIn, type WorkflowLibrary } from './workflows.ts'

/** Everything that a configuration says, or everything that is wrong with it. */
export interface Inspection {
  /** Absolute path of the file. */
  readonly file: string
  /** Null where there is an error among the problems. */
  readonly config: HostConfig | null
  /** Each once: errors first, then warnings, by file and line. */
  readonly problems: readonly ConfigProblem[]
}

const sample = `or write one:

projects:
  shop: { workspace: ./shop }
agents:
  developer: { preset: claude }
workflows:
  chain:
    steps:
      - { id: develop, agent_type: developer, prompt: 'Make the change.' }`

const issueProblems = (issue: core.$ZodIssue, source: Source): ConfigProblem[] => {
  if (issue.code !== 'unrecognized_keys') return [source.problem('error', issue.path, issue.message)]
  return issue.keys.map((key) => {
    const near = meant(key, membersAt(issue.path))
    const advice = near === null ? 'Remove it, or check its spelling.' : `Did you mean "${near}"?`
    return source.problem('error', [...issue.path, key], `unknown member. ${advice}`)
  })
}

/** Of a section that is missing because it is misspelt, the misspelling is told alone. */
const explained = (issues: readonly core.$ZodIssue[]): core.$ZodIssue[] => {
  const misspelt = new Set(
    issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...issue.path, meant(key, membersAt(issue.path))].join('\n'))
        : [],
    ),
  )
  return issues.filter(({ code, path }) => code === 'unrecognized_keys' || !misspelt.has(path.join('\n')))
}

type Say = (path: Path, message: string) => void

const workspaceOf = (key: string, workspace: string, file: string, say: Say): string => {
  const folder = besides(file, workspace)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    say(['projects', key, 'workspace'], `there is no folder ${folder}. Create it, or name another.`)
  return folder
}

/** Room for the numbers of a long life. */
const numberDigits = '999999999'

const checkPrefix = (key: string, prefix: string, say: Say): void => {
  const problem = nameProblem('issueNumber', `${prefix}${numberDigits}`)
  if (problem) say(['projects', key, 'issue_prefix'], `an issue number such as ${prefix}${numberDigits} ${problem}.`)
}

/** Name of the project's workflow; null where there is none. */
const chosen = (key: string, file: HostFile, library: WorkflowLibrary, say: Say): string | null => {
  const name = file.projects[key]?.workflow
  const known = knownWorkflows(file)
  const at = ['projects', key, 'workflow']
  if (name !== undefined) {
    if (library.workflows.has(name)) return name
    if (isFileName(name)) return library.addFile(name, at)
    const near = meant(name, [...library.workflows.keys()])
    say(at, `there is no workflow "${name}". ${near === null ? `Known: ${known}.` : `Did you mean "${near}"?`}`)
    return null
  }
  const [only, ...others] = library.workflows.keys()
  if (only !== undefined && others.length === 0) return only
  if (only === undefined)
    say(
      ['projects', key],
      'a workflow is needed: write workflows: { chain: { steps: […] } }, or { workspace: …, workflow: ./a-file.yaml }',
    )
  else say(['projects', key], `there are several workflows (${known}). Say which: { workspace: …, workflow: … }`)
  return null
}

/** What no schema sees: that the parts fit together. */
const understand = (written: HostFile, file: string, library: WorkflowLibrary, say: Say): HostConfig => {
  const projects = Object.entries(written.projects).map(([key, project]): [string, ProjectConfig] => {
    const problem = nameProblem('project', key)
    if (problem) say(['projects', key], `the project key ${problem}.`)
    checkPrefix(key, project.issue_prefix, say)
    const workspace = workspaceOf(key, project.workspace, file, say)
    const name = chosen(key, written, library, say)
    const own = Object.entries(project.tiers).map(([type, tier]): [string, Tier] => [type.trim().toLowerCase(), tier])
    return [
      key,
      {
        key,
        workspace,
        workflow: name === null ? {} : linkTiers(library.workflows, name),
        tiers: new Map([...(library.workflows.get(name ?? '')?.types ?? []), ...own]),
        concurrency: project.concurrency ?? null,
        issuePrefix: project.issue_prefix,
      },
    ]
  })
  return {
    file,
    projects: new Map(projects),
    agents: readAgents(written.agents, (path, message) => say(['agents', ...path], message)),
    concurrency: written.concurrency,
    apiPort: written.api.port === 0 ? null : written.api.port,
    apiListen: written.api.listen,
    apiHosts: written.api.hosts,
    onUnreachable: written.on_unreachable,
    fuse: { failures: written.fuse.failures, coolDownMs: written.fuse.cool_down_seconds * 1000 },
    keepRunsDays: written.runs.keep_days,
  }
}

const inOrder = (problems: readonly ConfigProblem[]): ConfigProblem[] => {
  const once = new Map(problems.map((problem) => [problemText(problem), problem]))
  const rank = ({ severity }: ConfigProblem): number => (severity === 'error' ? 0 : 1)
  return [...once.values()].sort(
    (left, right) =>
      rank(left) - rank(right) ||
      left.file.localeCompare(right.file) ||
      left.line - right.line ||
      left.column - right.column,
  )
}

/** Reads `nexus.yaml` and the workflow files that it names. What is wrong is told, all of it; nothing is thrown. */
export const inspectHostConfig = (given: string): Inspection => {
  const file = resolve(given)
  const { source, problems: unread } = openSource(file, `Name another file with --config, ${sample}`)
  if (!source) return { file, config: null, problems: unread }
  const library = openWorkflows(source, file)
  const problems: ConfigProblem[] = []
  const parsed = HostFile.safeParse(source.value)
  const say: Say = (path, message) => void problems.push(source.problem('error', path, message))
  if (!parsed.success) problems.push(...explained(parsed.error.issues).flatMap((issue) => issueProblems(issue, source)))
  const config = parsed.success ? understand(parsed.data, file, library, say) : null
  const all = inOrder([...problems, ...library.problems, ...library.check(rolesIn(source.value))])
  const isWrong = all.some(({ severity }) => severity === 'error')
  return { file, config: isWrong ? null : config, problems: all }
}
