import type { Cli } from '../cli/cli.ts'
import { addAgentCommands } from './agent-commands.ts'
import { addCompletionCommands } from './completion-commands.ts'
import { addInboxCommands } from './inbox-commands.ts'
import { addJournalCommands } from './journal-commands.ts'
import { addStateCommands } from './state-commands.ts'
import { addTaskCommands } from './task-commands.ts'
import { addWorkflowCommands } from './workflow-commands.ts'

/** What a person changes. */
export const addActCommands = (cli: Cli): void => {
  addInboxCommands(cli)
  addWorkflowCommands(cli)
  addCompletionCommands(cli)
  addTaskCommands(cli)
  addStateCommands(cli)
  addAgentCommands(cli)
  addJournalCommands(cli)
}
