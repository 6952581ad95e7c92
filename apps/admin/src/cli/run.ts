import { ConfigError } from '@nexus/core'
import { CommanderError } from 'commander'
import type { Cli } from './cli.ts'
import { CommandError, exit, exitCodeOf } from './exit.ts'
import { plain } from './line.ts'
import { say } from './output.ts'

const endWithOutput = (error: Error): never => {
  const code = 'code' in error ? String(error.code) : error.message
  // Whoever reads only the beginning (`| head`) has all they want.
  if (code === 'EPIPE') process.exit(exit.ok)
  say(`standard output cannot be written (${code}). Give it a place with room, and repeat the command.`)
  process.exit(exit.failed)
}

/** What a person reads of an error. Only those of this program have several lines: others quote what is in the stores. */
const messageOf = (error: unknown): string => {
  if (error instanceof CommandError || error instanceof ConfigError) return error.message
  return plain(error instanceof Error ? error.message : String(error))
}

/** Runs the command that was typed. A person's mistake is a line on stderr and a code. */
export const runCli = async ({ program }: Cli): Promise<void> => {
  process.stdout.on('error', endWithOutput)
  try {
    await program.parseAsync()
  } catch (error) {
    // Commander has printed its own message already.
    if (!(error instanceof CommanderError)) say(messageOf(error))
    process.exitCode = exitCodeOf(error)
  }
}
