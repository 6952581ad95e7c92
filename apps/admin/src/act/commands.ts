import type { Cli } from '../cli/cli.ts'
import { addConflictCommands } from './conflicts-command.ts'
import { addInboxCommands } from './inbox-commands.ts'
import { addWorkflowCommands } from './workflow-command.ts'

/** What a person changes. */
export const addActCommands = (cli: Cli): void => {
  addInboxCommands(cli)
  addWorkflowCommands(cli)
  addConflictCommands(cli)
}
