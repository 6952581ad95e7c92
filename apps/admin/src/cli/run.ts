import { ConfigError } from '@nexus/core'
import { CommanderError } from 'commander'
import type { Cli } from './cli.ts'
import { CommandError, exit, exitCodeOf } from './exit.ts'
import { plain } from './line.ts'
import { say } from './output.ts'

const isClosedPipe = (error: Error): boolean => 'code' in error && error.code === 'EPIPE'

/** What a person reads of an error. Only those of this program have several lines: others quote what is in the stores. */
const messageOf = (error: unknown): string => {
  if (error instanceof CommandError || error instanceof ConfigError) return error.message
  return plain(error instanceof Error ? error.message : String(error))
}

/** Runs the command that was typed. A person's mistake is a line on stderr and a code. */
export const runCli = async ({ program }: Cli): Promise<void> => {
  // Whoever reads only the beginning (`| head`) has all they want.
  process.stdout.on('error', (error) => process.exit(isClosedPipe(error) ? exit.ok : exit.failed))
  try {
    await program.parseAsync()
  } catch (error) {
    // Commander has printed its own message already.
    if (!(error instanceof CommanderError)) say(messageOf(error))
    process.exitCode = exitCodeOf(error)
  }
}
