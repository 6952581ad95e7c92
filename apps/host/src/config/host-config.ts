import type { Tier, WorkflowTiers } from '@nexus/engine'
import type { Command, PromptForm } from '../runner/command-line.ts'

/** How to start the agents of one role. */
export interface AgentConfig {
  /** A line for `/bin/sh -c`, or an argument vector, in which placeholders may stand. */
  readonly command: Command
  /** How the prompt reaches it. */
  readonly prompt: PromptForm
  /** Null: as long as it takes. */
  readonly timeoutMs: number | null
  /** Names of the host's variables that are passed through. */
  readonly env: readonly string[]
  /** Set for it unless the host has them. */
  readonly variables: Readonly<Record<string, string>>
}

export interface ProjectConfig {
  readonly key: string
  /** Absolute; where the project's agents work. */
  readonly workspace: string
  /** Linked, with every tier that its tasks may get: `workflow[nearestTier(workflow, tier)]`. */
  readonly workflow: WorkflowTiers
  /** Tier by task type (in small letters), before `tierOfType`. */
  readonly tiers: ReadonlyMap<string, Tier>
  /** Its tasks worked on at the same time by this host; null: the host's own bound is the only one. */
  readonly concurrency: number | null
  /** What stands before the numbers that the host gives out; mostly nothing. */
  readonly issuePrefix: string
}

/** When agents of one role are no longer started because they fail again and again. */
interface FuseConfig {
  /** Failures in a row, over all tasks. */
  readonly failures: number
  /** From the last failure until one agent is tried again. */
  readonly coolDownMs: number
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
  /** What becomes of running agents while a store cannot be reached. */
  readonly onUnreachable: 'keep' | 'stop'
  readonly fuse: FuseConfig
  /** How long the folder of a run is kept after its end, in days. */
  readonly keepRunsDays: number
  /** The address that the API listens on. */
  readonly apiListen: string
  /** Names under which the API is asked for where it listens on more than the loopback address. */
  readonly apiHosts: readonly string[]
}
