import type { Cli } from '../cli/cli.ts'
import { exit } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { withStores } from '../cli/with-stores.ts'
import {
  type OrderOptions,
  type OrderWord,
  readWorkflows,
  SteeredOrder,
  steer,
  steeredText,
  Workflows,
  workflowsText,
} from './workflow.ts'

const list = async (options: Json & { state?: string; project?: string }): Promise<void> => {
  const found = await withStores(({ stores }) => readWorkflows(stores, options))
  print(options, Workflows, found, () => workflowsText(found))
}

const order =
  (word: OrderWord) =>
  async (id: string, options: Json & OrderOptions): Promise<void> => {
    const steered = await withStores(({ stores }) => steer(stores, word, id, options))
    print(options, SteeredOrder, steered, () => steeredText(id, word, steered))
    if (['absent', 'refused', 'stranded'].includes(steered.status)) process.exitCode = exit.failed
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

/** `nexus-admin workflow …`: what runs, and a person's word on it. The hosts need not be reachable, the stores must. */
export const addWorkflowCommands = (cli: Cli): void => {
  cli.group('workflow', 'See workflows, and say what is to become of them.')
  cli
    .command(
      'workflow list',
      {
        description: 'All of them, or those of a state or project.',
        examples: ['nexus-admin workflow', 'nexus-admin workflow list --state paused --json'],
        exits: { unreachable: true },
        prints: Workflows,
      },
      { isDefault: true },
    )
    .alias('ls')
    .option('--state <state>', 'pending, running, paused, completed, failed or cancelled')
    .option('--project <key>', 'of this project')
    .action(list)
  for (const [word, { description, example }] of Object.entries(orders) as [OrderWord, (typeof orders)[OrderWord]][]) {
    const command = cli
      .command(`workflow ${word}`, {
        description,
        examples: [`nexus-admin workflow ${word} shop-12-feature ${example}`.trim()],
        exits: { failed: 'no such workflow, it does not fit, or no task runs it', unreachable: true },
        prints: SteeredOrder,
      })
      .argument('<id>', 'as the list shows it')
    if (word === 'retry') command.option('--step <step>', 'the id, name or number of the step to begin at')
    if (word !== 'retry' && word !== 'resume') command.option('--comment <text>', 'why; it is kept with the workflow')
    if (word !== 'retry' && word !== 'resume') command.option('--by <name>', 'who says so; you unless given')
    command.action(order(word))
  }
}
