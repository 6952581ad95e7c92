import type { Cli } from '../cli/cli.ts'
import { addDiffCommand } from './diff-command.ts'
import { addMigrateCommands } from './migrate-commands.ts'

/** What moves between backends, and what compares them. */
export const addMoveCommands = (cli: Cli): void => {
  addMigrateCommands(cli)
  addDiffCommand(cli)
}
