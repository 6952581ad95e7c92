import { ConfigError, configErrorExitCode, isStoreError } from '@nexus/core'
import { CommanderError } from 'commander'
import type { HostEnd } from '../host.ts'

/** Exit codes of every command. */
export const exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  taskFailed: 3,
  unreachable: 69,
  configuration: configErrorExitCode,
} as const

/** A person's mistake that is not in the configuration: its message says everything. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

const exitCodes = {
  done: exit.ok,
  stopped: exit.ok,
  failed: exit.taskFailed,
  unreachable: exit.unreachable,
  moved: exit.configuration,
} as const satisfies Record<HostEnd, number>

/** What a run of the host ends the program with. */
export const exitCodeAfter = (end: HostEnd): number => exitCodes[end]

export const exitCodeOf = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage
  if (error instanceof ConfigError) return exit.configuration
  if (error instanceof UsageError) return exit.usage
  return isStoreError(error, 'unavailable') ? exit.unreachable : exit.failed
}
