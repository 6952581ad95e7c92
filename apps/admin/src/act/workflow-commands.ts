import { cursorOption, limitOption } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { CommandError } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { type Paging, sayMore } from '../cli/paging.ts'
import { withStores } from '../cli/with-stores.ts'
import { BulkResult } from './bulk.ts'
import { readWorkflows, type WorkflowFilterOptions, Workflows, workflowsText } from './workflow.ts'
import { type OrderWord, orderWorkflows } from './workflow-order.ts'
import { readWorkflow, WorkflowShown, workflowText } from './workflow-show.ts'

const list = async (options: Json & WorkflowFilterOptions & Paging): Promise<void> => {
  const found = await withStores(({ stores }) => readWorkflows(stores, options))
  print(options, Workflows, found, () => workflowsText(found))
  sayMore(found, options)
}

const show = async (id: string, options: Json): Promise<void> => {
  const found = await withStores(({ stores }) => readWorkflow(stores, id))
  if (!found) throw new CommandError('failed', `There is no workflow ${id}. See: nexus-admin workflow ls`)
  print(options, WorkflowShown, found, () => workflowText(found))
}

const orders: Readonly<Record<OrderWord, { description: string; example: string }>> = {
  pause: { description: 'Start nothing more in it; its agent may finish.', example: "--comment 'release first'" },
  resume: { description: 'Let a paused one go on where it stands.', example: '' },
  approve: { description: 'Let the step that waits for approval begin, or the result stand.', example: '--by ann' },
  reject: {
    description: 'Fail the workflow at the step that waits for approval.',
    example: "--comment 'not on friday'",
  },
  retry: {
    description: 'Have a failed or paused one run again, from where it stands or from a step.',
    example: '--step develop',
  },
  cancel: { description: 'End it for good, its agent included.', example: "--comment 'no longer wanted'" },
}

const addReading = (cli: Cli): void => {
  cli
    .command(
      'workflow ls',
      {
        description: 'Workflows, newest first.',
        examples: ['nexus-admin workflow', 'nexus-admin workflow ls --state paused --json'],
        exits: { unreachable: true },
        prints: Workflows,
      },
      { isDefault: true },
    )
    .alias('list')
    .option('--state <state>', 'pending, running, paused, completed, failed or cancelled')
    .option('--project <key>', 'of this project')
    .addOption(limitOption(100))
    .addOption(cursorOption())
    .action(list)
  cli
    .command('workflow show', {
      description: 'One workflow: where it stands, and each step; with --json the whole document.',
      examples: ['nexus-admin workflow show shop-12-feature', 'nexus-admin workflow show shop-12-feature --json'],
      exits: { failed: 'no such workflow, or its steps cannot be read', unreachable: true },
      prints: WorkflowShown,
      completes: 'workflows',
    })
    .argument('<id>', 'as the list shows it')
    .action(show)
}

/** `nexus-admin workflow …`: what runs, and a person's word on it. The hosts need not be reachable, the stores must. */
export const addWorkflowCommands = (cli: Cli): void => {
  cli.group('workflow', 'See workflows, and say what is to become of them.')
  addReading(cli)
  for (const [word, { description, example }] of Object.entries(orders) as [OrderWord, (typeof orders)[OrderWord]][]) {
    const command = cli
      .command(`workflow ${word}`, {
        description,
        examples: [
          `nexus-admin workflow ${word} shop-12-feature ${example}`.trim(),
          `nexus-admin workflow ${word} --project shop --dry-run`,
        ],
        exits: { failed: 'no such workflow, it does not fit, or no task runs it', unreachable: true },
        prints: BulkResult,
        completes: 'workflows',
      })
      .argument('[ids...]', 'as the list shows them')
      .option('--state <state>', 'instead of ids: all in this state')
      .option('--project <key>', 'instead of ids: all of this project, in the state that the order is for')
      .option('--dry-run', 'say which, and change nothing')
      .option('-y, --yes', 'ask nothing')
    if (word === 'retry') command.option('--step <step>', 'the id, name or number of the step to begin at')
    if (word !== 'retry' && word !== 'resume') command.option('--comment <text>', 'why; it is kept with the workflow')
    if (word !== 'retry' && word !== 'resume') command.option('--by <name>', 'who says so; you unless given')
    command.action(orderWorkflows(word))
  }
}
