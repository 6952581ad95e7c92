import { RUN_VARIABLE } from './run-variable.ts'

/** What the host tells an agent about its run. */
export interface AgentVariables {
  readonly NEXUS_ATTEMPT?: string
  readonly NEXUS_COMPLETION_FILE?: string
  readonly NEXUS_COMPLETION_URL?: string
  readonly NEXUS_COMPLETION_TOKEN?: string
  readonly NEXUS_PROJECT?: string
  readonly NEXUS_ISSUE?: string
  readonly NEXUS_STEP?: string
  readonly NEXUS_AGENT?: string
  readonly NEXUS_WORKFLOW?: string
}

const INHERITED = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TERM|TZ|TMPDIR|XDG_.*|SSH_AUTH_SOCK)$/
const FORBIDDEN = /^(NEXUS_STORAGE_|PG)/
const DSN = /^NEXUS_STORAGE_.*DSN$/

/**
 * The environment of an agent: an allow-list of the host's, the names its configuration passes through, and our own.
 * The storage settings stay out even when passed through, and so does any variable that repeats a DSN.
 */
export function agentEnvironment(
  processEnv: NodeJS.ProcessEnv,
  extra: AgentVariables,
  passThrough: readonly string[] = [],
): Record<string, string> {
  const entries = Object.entries(processEnv)
  const secrets = entries.filter(([name, value]) => DSN.test(name) && value).map(([, value]) => value ?? '')
  const passed = new Set(passThrough)
  const env: Record<string, string> = {}
  for (const [name, value] of [
    ...entries.filter(([name]) => INHERITED.test(name) || passed.has(name)),
    ...Object.entries(extra),
  ]) {
    if (value === undefined || FORBIDDEN.test(name) || secrets.some((secret) => value.includes(secret))) continue
    env[name] = value
  }
  return env
}

const ownVariables: Readonly<Record<keyof AgentVariables, true>> = {
  NEXUS_ATTEMPT: true,
  NEXUS_COMPLETION_FILE: true,
  NEXUS_COMPLETION_URL: true,
  NEXUS_COMPLETION_TOKEN: true,
  NEXUS_PROJECT: true,
  NEXUS_ISSUE: true,
  NEXUS_STEP: true,
  NEXUS_AGENT: true,
  NEXUS_WORKFLOW: true,
}

/** Every variable that an agent gets from its host. */
export const agentVariableNames: readonly string[] = [...Object.keys(ownVariables), RUN_VARIABLE, 'NEXUS_PROMPT_FILE']
