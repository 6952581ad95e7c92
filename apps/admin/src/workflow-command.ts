import { type Backend, readConfig } from '@nexus/core'
import type { Command } from 'commander'
import { composeStores } from './compose.ts'
import { exit } from './exit.ts'
import { type OrderOptions, type OrderWord, readWorkflows, steer, steeredText, workflowsText } from './workflow.ts'

interface Json {
  json?: boolean
}

const open = (): Promise<Backend> => composeStores(readConfig(process.env))

const print = (json: boolean | undefined, value: object, text: string): void =>
  void process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text}\n`)

const list = async ({ json, ...filter }: Json & { state?: string; project?: string }): Promise<void> => {
  await using stores = await open()
  const found = await readWorkflows(stores, filter)
  print(json, found, workflowsText(found))
}

const order =
  (word: OrderWord) =>
  async (id: string, { json, ...options }: Json & OrderOptions): Promise<void> => {
    await using stores = await open()
    const steered = await steer(stores, word, id, options)
    print(json, steered, steeredText(id, word, steered))
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

const codes =
  'Exit codes: 0 ok, 1 no such workflow, it does not fit, or no task runs it, 69 a store cannot be reached, 78 configuration error.'

/** `nexus-admin workflow …`: what runs, and a person's word on it. The hosts need not be reachable, the stores must. */
export const addWorkflowCommand = (program: Command): void => {
  const workflow = program.command('workflow').description('See workflows, and say what is to become of them.')
  workflow
    .command('list', { isDefault: true })
    .alias('ls')
    .description('All of them, or those of a state or project.')
    .option('--state <state>', 'pending, running, paused, completed, failed or cancelled')
    .option('--project <key>', 'of this project')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `\nExamples:\n  nexus-admin workflow\n  nexus-admin workflow list --state paused --json\n\n${codes}`,
    )
    .action(list)
  for (const [word, { description, example }] of Object.entries(orders) as [OrderWord, (typeof orders)[OrderWord]][]) {
    const command = workflow.command(word).description(description).argument('<id>', 'as the list shows it')
    if (word === 'retry') command.option('--step <step>', 'the id, name or number of the step to begin at')
    if (word !== 'retry' && word !== 'resume') command.option('--comment <text>', 'why; it is kept with the workflow')
    if (word !== 'retry' && word !== 'resume') command.option('--by <name>', 'who says so; you unless given')
    command
      .option('--json', 'print JSON')
      .addHelpText('after', `\nExamples:\n  nexus-admin workflow ${word} shop-12-feature ${example}\n\n${codes}`)
      .action(order(word))
  }
}
