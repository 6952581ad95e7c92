import { CommanderError } from 'commander'
import { exitCodeOf } from './cli/exit.ts'
import { createProgram } from './program.ts'

try {
  // A package manager's `start -- --once` hands over the separator too.
  await createProgram().parseAsync(process.argv.filter((argument) => argument !== '--'))
} catch (error) {
  // Commander has printed its own message already.
  if (!(error instanceof CommanderError)) process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = exitCodeOf(error)
}

// Everything is closed by now. What a library may have left open must not keep a finished command from ending.
setTimeout(() => process.exit(), 2_000).unref()
