import { Option } from 'commander'
import { cursorOption, limitOption, moment, wholeNumber } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { CommandError } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { type Paging, sayMore } from '../cli/paging.ts'
import { withStores } from '../cli/with-stores.ts'
import { BulkResult } from './bulk.ts'
import { type InboxFilterOptions, InboxList, InboxShown, inboxText, readInbox, readTask, taskText } from './inbox.ts'
import { addTasks, InboxAdded } from './inbox-add.ts'
import { changeTasks } from './inbox-change.ts'
import { InboxPurged, purgeTasks } from './inbox-purge.ts'

const list = async (options: Json & InboxFilterOptions & Paging): Promise<void> => {
  const found = await withStores(({ stores }) => readInbox(stores, options))
  print(options, InboxList, found, () => inboxText(found))
  sayMore(found, options)
}

const show = async (id: string, options: Json): Promise<void> => {
  const found = await withStores(({ stores }) => readTask(stores, id))
  if (!found) throw new CommandError('failed', `There is no task ${id}. See: nexus-admin inbox ls`)
  print(options, InboxShown, found, () => taskText(found))
}

const statusOption = (meant: string): Option =>
  new Option('--status <status>', `${meant}: pending, processing, done or failed`)

const addReading = (cli: Cli): void => {
  cli
    .command(
      'inbox ls',
      {
        description: 'Tasks, newest first.',
        examples: [
          'nexus-admin inbox',
          'nexus-admin inbox ls --status failed --project shop',
          'nexus-admin inbox ls --limit 1000 --json',
        ],
        exits: { unreachable: true },
        prints: InboxList,
      },
      { isDefault: true },
    )
    .addOption(statusOption('of this status'))
    .option('--project <key>', 'of this project')
    .addOption(limitOption(50))
    .addOption(cursorOption())
    .action(list)
  cli
    .command('inbox show', {
      description: 'One task, with its text.',
      examples: ['nexus-admin inbox show 41', 'nexus-admin inbox show 41 --json'],
      exits: { failed: 'no such task', unreachable: true },
      prints: InboxShown,
      completes: 'tasks',
    })
    .argument('<id>', 'as the list shows it')
    .action(show)
}

const addAdding = (cli: Cli): void => {
  cli
    .command('inbox add', {
      description: 'Puts files, or standard input, into the queue as tasks.',
      examples: [
        "echo 'The cart forgets its content.' | nexus-admin inbox add shop --filename cart.md",
        'nexus-admin inbox add shop tasks/*.md --priority 10',
        'nexus-admin inbox add shop report.md --run-at 2026-12-01T06:00:00Z --key december-report',
      ],
      exits: { unreachable: true },
      prints: InboxAdded,
    })
    .argument('<project>', 'a project of nexus.yaml')
    .argument('[files...]', 'markdown; - is standard input, as is no file')
    .option('--filename <name>', 'the name of the task (default: of its file, or task.md)')
    .option('--workspace <path>', 'the folder it is for; part of its identity')
    .addOption(new Option('--priority <n>', '-100 to 100; the higher goes first').argParser(wholeNumber(-100, 100)))
    .addOption(new Option('--run-at <time>', 'not before this').argParser(moment()))
    .addOption(new Option('--max-attempts <n>', 'tries before it is a dead letter').argParser(wholeNumber(1, 1000)))
    .option('--key <text>', 'your own identity for it: of a second one with it nothing comes')
    .option('--issue <number>', 'the issue it is about')
    .action(addTasks)
}

const changes = {
  requeue: {
    description: 'Gives dead letters back to the queue, their counters at zero.',
    examples: ['nexus-admin inbox requeue 41 42', 'nexus-admin inbox requeue --status failed --project shop --yes'],
  },
  retry: {
    description: 'Gives dead letters back together with their failed workflows, from where those stand or from a step.',
    examples: ['nexus-admin inbox retry 41', 'nexus-admin inbox retry --project shop --dry-run'],
  },
  cancel: {
    description: 'Ends tasks: a pending one at once, of one that is held the holder is asked.',
    examples: ['nexus-admin inbox cancel 41', 'nexus-admin inbox cancel --status pending --project shop'],
  },
} as const

const addChanging = (cli: Cli): void => {
  for (const word of ['requeue', 'retry', 'cancel'] as const) {
    const command = cli
      .command(`inbox ${word}`, {
        ...changes[word],
        exits: { failed: 'one of them stays as it is, or is not there', unreachable: true },
        prints: BulkResult,
        completes: 'tasks',
      })
      .argument('[ids...]', 'as the list shows them')
      .addOption(
        statusOption(`instead of ids: all of this status (${word === 'cancel' ? 'pending' : 'failed'} unless given)`),
      )
      .option('--project <key>', 'instead of ids: all of this project')
      .option('--dry-run', 'say which, and change nothing')
      .option('-y, --yes', 'ask nothing')
    if (word === 'retry') command.option('--step <step>', 'the id, name or number of the step to begin at')
    command.action(changeTasks(word))
  }
  cli
    .command('inbox purge', {
      description: 'Removes what has been done or failed for long, and frees its idempotency keys.',
      examples: [
        'nexus-admin inbox purge --older-than 30d',
        'nexus-admin inbox purge --older-than 2026-01-01 --status done --yes',
      ],
      exits: { unreachable: true },
      prints: InboxPurged,
    })
    .addOption(
      new Option('--older-than <time>', 'over before this: a date, or an age such as 30d')
        .argParser(moment())
        .makeOptionMandatory(),
    )
    .addOption(new Option('--status <status>', 'only these').choices(['done', 'failed']))
    .option('--dry-run', 'count them, and change nothing')
    .option('-y, --yes', 'ask nothing')
    .action(purgeTasks)
}

/** `nexus-admin inbox …`: the task queue. */
export const addInboxCommands = (cli: Cli): void => {
  cli.group('inbox', 'The task queue: what waits, runs, is done and has failed.')
  addReading(cli)
  addAdding(cli)
  addChanging(cli)
}
