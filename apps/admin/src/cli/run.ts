import { CommanderError } from 'commander'
import type { Cli } from './cli.ts'
import { exit, exitCodeOf } from './exit.ts'
import { say } from './output.ts'

const isClosedPipe = (error: Error): boolean => 'code' in error && error.code === 'EPIPE'

/** Runs the command that was typed. A person's mistake is a line on stderr and a code. */
export const runCli = async ({ program }: Cli): Promise<void> => {
  // Whoever reads only the beginning (`| head`) has all they want.
  process.stdout.on('error', (error) => process.exit(isClosedPipe(error) ? exit.ok : exit.failed))
  try {
    await program.parseAsync()
  } catch (error) {
    // Commander has printed its own message already.
    if (!(error instanceof CommanderError)) say(error instanceof Error ? error.message : String(error))
    process.exitCode = exitCodeOf(error)
  }
}
