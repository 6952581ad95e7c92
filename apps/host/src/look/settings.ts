import { programOf } from '../check/program.ts'
import type { AgentConfig, HostConfig } from '../config/host-config.ts'
import { inspectHostConfig } from '../config/inspect.ts'
import { openSource } from '../config/source.ts'

/** A value of `nexus.yaml`, by the path of its member. */
export interface HostSetting {
  name: string
  value: string
  /** Whether the file says it; else it is the default. */
  isGiven: boolean
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const has = (value: unknown, [name, ...rest]: readonly string[]): boolean =>
  name === undefined || (isFields(value) && Object.hasOwn(value, name) && has(value[name], rest))

/** Its arguments may hold what nobody should read. */
const commandText = (agent: AgentConfig): string => {
  const program = programOf(agent) ?? '(a shell line)'
  const isWhole = typeof agent.command === 'string' ? agent.command === program : agent.command.length === 1
  return isWhole ? program : `${program} …`
}

const valuesOf = (config: HostConfig): (readonly [path: readonly string[], value: string])[] => [
  ...[...config.projects.values()].map(({ key, workspace }) => [['projects', key, 'workspace'], workspace] as const),
  ...[...config.agents].map(([role, agent]) => [['agents', role], commandText(agent)] as const),
  [['concurrency'], String(config.concurrency)],
  [['on_unreachable'], config.onUnreachable],
  [['fuse', 'failures'], String(config.fuse.failures)],
  [['fuse', 'cool_down_seconds'], String(config.fuse.coolDownMs / 1000)],
  [['runs', 'keep_days'], String(config.keepRunsDays)],
  [['api', 'port'], config.apiPort === null ? 'any' : String(config.apiPort)],
  [['api', 'listen'], config.apiListen],
  [['api', 'hosts'], config.apiHosts.join(', ') || 'none'],
]

/** What a host with this file would go by. Null where there is no file, or it is wrong: see `inspectHostConfig`. */
export const hostSettings = (file: string): HostSetting[] | null => {
  const { config } = inspectHostConfig(file)
  const { source } = openSource(file, '')
  if (!config || !source) return null
  return valuesOf(config).map(([path, value]) => ({
    name: path.join('.'),
    value,
    isGiven: path[0] === 'projects' || path[0] === 'agents' || has(source.value, path),
  }))
}
