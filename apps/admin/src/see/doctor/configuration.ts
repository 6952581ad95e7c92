import { Environment } from '@nexus/core'
import { meant } from '@nexus/engine'
import { agentVariableNames, findProgram, problemText, programOf } from '@nexus/host/look'
import { type Check, counted, fail, ok, some, warn } from './finding.ts'

const known = Object.keys(Environment.shape)

const advice = (name: string): string => {
  const near = meant(name, known)
  return near === null ? 'like none that is read' : `did you mean ${near}?`
}

const variables: Check = {
  name: 'variables',
  async look({ env, hostConfig }) {
    const passed = [...(hostConfig().config?.agents.values() ?? [])].flatMap((agent) => agent.env)
    const read = new Set([...known, ...agentVariableNames, ...passed])
    const unknown = Object.keys(env).filter((name) => name.startsWith('NEXUS_') && !read.has(name))
    const [first] = unknown
    if (first === undefined) return ok('Every NEXUS_ variable is one that is read.')
    const near = meant(first, known)
    return warn({
      message: `Nothing reads ${unknown.join(', ')}.`,
      detail: unknown.map((name) => `${name}: ${advice(name)}`),
      fix: near === null ? `Unset ${first}. Those that are read: nexus-admin config` : `Rename ${first} to ${near}.`,
    })
  },
}

const configuration: Check = {
  name: 'configuration',
  async look({ environment }) {
    const read = environment()
    if ('config' in read) return ok('The variables fit together.')
    return fail({ message: read.problem.message, fix: `Set ${read.problem.variable} right; nothing starts before.` })
  },
}

const isThere = (problems: readonly { line: number; message: string }[]): boolean =>
  !problems.some(({ line, message }) => line === 0 && message.startsWith('cannot be read'))

const hostFile: Check = {
  name: 'host-file',
  async look({ hostConfig, isHostFileNamed }) {
    const { file, config, problems } = hostConfig()
    if (!isThere(problems) && !isHostFileNamed)
      return ok('There is no nexus.yaml here, and no host that would need one.')
    if (problems.length === 0) return ok(`${file} is in order.`)
    const finding = {
      message: `${file}: ${counted(problems.length, 'problem')}.`,
      detail: some(problems.map(problemText)),
      fix: 'Correct the lines it names, then look again: nexus-host check',
    }
    return config ? warn(finding) : fail(finding)
  },
}

const agentPrograms: Check = {
  name: 'agent-programs',
  async look({ hostConfig }) {
    const { config } = hostConfig()
    if (!config) return null
    const workspaces = [...new Set([...config.projects.values()].map(({ workspace }) => workspace))]
    const missing = [...config.agents].flatMap(([role, agent]) => {
      const program = programOf(agent)
      const isFound = program !== null && findProgram(program, workspaces) !== null
      return isFound ? [] : [{ role, program: program ?? 'of its command' }]
    })
    const [first] = missing
    if (!first) return ok(`The programs of all ${counted(config.agents.size, 'agent')} are there.`)
    return warn({
      message: `Not found: ${missing.map(({ program }) => program).join(', ')}.`,
      detail: missing.map(({ role, program }) => `agents.${role}: ${program}`),
      fix: `Install ${first.program}, add its folder to PATH, or change agents.${first.role}.command.`,
    })
  },
}

/** What people wrote: variables, and the host's file. */
export const configurationChecks: readonly Check[] = [configuration, variables, hostFile, agentPrograms]
