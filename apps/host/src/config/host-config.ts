import type { WorkflowDefinition } from '@nexus/engine'

/** How to start the agents of one role. */
export interface AgentConfig {
  /** A line for `/bin/sh -c`, or an argument vector. */
  readonly command: string | readonly string[]
  readonly stdin: 'prompt' | 'none'
  /** Null: as long as it takes. */
  readonly timeoutMs: number | null
  /** Names of the host's variables that are passed through. */
  readonly env: readonly string[]
}

export interface ProjectConfig {
  readonly key: string
  /** Absolute; where the project's agents work. */
  readonly workspace: string
  readonly workflow: WorkflowDefinition
}

/** What `nexus.yaml` says. */
export interface HostConfig {
  /** Absolute path of the file. */
  readonly file: string
  readonly projects: ReadonlyMap<string, ProjectConfig>
  /** By role, see `roleOf`. */
  readonly agents: ReadonlyMap<string, AgentConfig>
  /** Tasks worked on at the same time. */
  readonly concurrency: number
  /** Port of the API; null: the last one used, else any. */
  readonly apiPort: number | null
}
