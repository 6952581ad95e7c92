import { ConfigError, configErrorExitCode, isStoreError } from '@nexus/core'
import { CommanderError } from 'commander'

/** Exit codes, as every command of this program uses them. */
export const exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** It answers, and something is wrong: a store is down, a journal waits, a check found a fault. */
  degraded: 3,
  /** What was compared is not equal. */
  different: 4,
  unreachable: 69,
  /** Another one is at it. */
  locked: 75,
  configuration: configErrorExitCode,
} as const
export type ExitName = keyof typeof exit

/** What a code means where a command says nothing more exact. */
export const exitMeanings = {
  ok: 'ok',
  failed: 'failed',
  usage: 'wrong usage',
  degraded: 'something is wrong',
  different: 'differences found',
  unreachable: 'a store cannot be reached',
  locked: 'another one is at it',
  configuration: 'configuration error',
} as const satisfies Record<ExitName, string>

/** Ends the command with this code; its message says all that a person needs. */
export class CommandError extends Error {
  readonly exit: ExitName

  constructor(exit: ExitName, message: string) {
    super(message)
    this.name = 'CommandError'
    this.exit = exit
  }
}

export const usageError = (message: string): CommandError => new CommandError('usage', message)

/** A store that moved away is a matter of configuration, whatever it says about being reached. */
export const exitCodeOf = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage
  if (error instanceof CommandError) return exit[error.exit]
  if (error instanceof ConfigError) return exit.configuration
  if (!isStoreError(error)) return exit.failed
  if (error.movedTo !== undefined) return exit.configuration
  return {
    unavailable: exit.unreachable,
    invalid: exit.usage,
    corrupt: exit.failed,
    unsupported: exit.failed,
    closed: exit.failed,
  }[error.code]
}
