import { roleOf } from '@nexus/engine'
import { promptFormOf, promptProblem } from '../runner/command-line.ts'
import { presets } from '../runner/presets.ts'
import type { AgentConfig } from './host-config.ts'
import type { HostFile } from './schema.ts'

type AgentFile = HostFile['agents'][string]

const howToStart = (
  { preset, args, command, prompt, env }: AgentFile,
  say: (member: string, message: string) => void,
): Omit<AgentConfig, 'timeoutMs'> => {
  const known = preset === undefined ? null : presets[preset]
  const whole = known ? [...known.command, ...args] : (command ?? [])
  const form = known?.prompt ?? prompt ?? promptFormOf(whole)
  const problem = promptProblem(whole, form)
  if (problem) say(known ? 'args' : 'command', problem)
  return { command: whole, prompt: form, env: [...(known?.env ?? []), ...env], variables: known?.variables ?? {} }
}

/** The agents by role. What does not fit together is told, by the agent's name and member. */
export const readAgents = (
  written: HostFile['agents'],
  say: (path: readonly string[], message: string) => void,
): Map<string, AgentConfig> => {
  const agents = new Map<string, AgentConfig>()
  for (const [name, agent] of Object.entries(written)) {
    const role = roleOf(name)
    if (agents.has(role)) say([name], `another agent is called ${role} already (case and @ do not count).`)
    const timeoutMs = agent.timeout_seconds === undefined ? null : agent.timeout_seconds * 1000
    agents.set(role, { ...howToStart(agent, (member, message) => say([name, member], message)), timeoutMs })
  }
  return agents
}
