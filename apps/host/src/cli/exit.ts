import { ConfigError, configErrorExitCode } from '@nexus/core'
import { CommanderError } from 'commander'

/** Exit codes of every command. */
export const exit = { ok: 0, failed: 1, usage: 2, taskFailed: 3, configuration: configErrorExitCode } as const

/** A person's mistake that is not in the configuration: its message says everything. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

export const exitCodeOf = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage
  if (error instanceof ConfigError) return exit.configuration
  return error instanceof UsageError ? exit.usage : exit.failed
}
