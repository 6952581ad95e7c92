import { Option } from 'commander'
import { cursorOption, limitOption } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { CommandError } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { sayMore } from '../cli/paging.ts'
import { withStores } from '../cli/with-stores.ts'
import { BulkResult } from './bulk.ts'
import { withGuard } from './guard.ts'
import { moveTaskFiles, putTaskFile } from './task-change.ts'
import {
  readTaskFile,
  readTaskFiles,
  TaskFileList,
  type TaskFileOptions,
  TaskFilePut,
  TaskFileShown,
  taskFilesText,
  taskFileText,
} from './task-files.ts'

const list = async (options: Json & TaskFileOptions): Promise<void> => {
  const found = await withStores(({ stores }) => readTaskFiles(stores, options))
  print(options, TaskFileList, found, () => taskFilesText(found))
  sayMore(found, options)
}

const show = async (project: string, filename: string, options: Json): Promise<void> => {
  const found = await withStores(({ stores }) => readTaskFile(stores, project, filename))
  if (!found) throw new CommandError('failed', `There is no task file ${project}/${filename}. See: nexus-admin task ls`)
  print(options, TaskFileShown, found, () => taskFileText(found))
}

const addReading = (cli: Cli): void => {
  cli
    .command(
      'task ls',
      {
        description: 'Task files, newest first.',
        examples: [
          'nexus-admin task',
          'nexus-admin task ls --project shop --state active',
          'nexus-admin task ls --issue 12 --json',
        ],
        exits: { unreachable: true },
        prints: TaskFileList,
      },
      { isDefault: true },
    )
    .option('--project <key>', 'of this project')
    .addOption(new Option('--state <state>', 'active or closed'))
    .option('--issue <number>', 'of this issue')
    .addOption(limitOption(50))
    .addOption(cursorOption())
    .action(list)
  cli
    .command('task show', {
      description: 'One task file, with its text.',
      examples: ['nexus-admin task show shop cart.md', 'nexus-admin task show shop cart.md --json'],
      exits: { failed: 'no such file', unreachable: true },
      prints: TaskFileShown,
    })
    .argument('<project>', 'its project')
    .argument('<filename>', 'as the list shows it')
    .action(show)
}

const moves = {
  close: 'Moves task files to the closed ones. A name that is taken there is not overwritten.',
  reopen: 'Moves task files back to the active ones. A name that is taken there is not overwritten.',
} as const

/** `nexus-admin task …`: the markdown files that agents work from. */
export const addTaskCommands = (cli: Cli): void => {
  cli.group('task', 'Task files: the markdown that agents work from.')
  addReading(cli)
  for (const word of ['close', 'reopen'] as const)
    cli
      .command(`task ${word}`, {
        description: moves[word],
        examples: [`nexus-admin task ${word} shop cart.md`, `nexus-admin task ${word} shop --issue 12 --yes`],
        exits: { failed: 'one of them is not there', unreachable: true },
        prints: BulkResult,
      })
      .argument('<project>', 'their project')
      .argument('[filenames...]', 'as the list shows them')
      .option('--issue <number>', 'instead of names: all of this issue')
      .option('--dry-run', 'say which, and change nothing')
      .option('-y, --yes', 'ask nothing')
      .action(moveTaskFiles(word))
  withGuard(
    cli
      .command('task put', {
        description: 'Saves a file, or standard input, as a task file; one of its name gets the new text.',
        examples: [
          'nexus-admin task put shop cart.md --issue 12',
          "echo 'The cart forgets.' | nexus-admin task put shop - --filename cart.md --if-absent",
        ],
        exits: { failed: 'it stays as it is: somebody else changed it', unreachable: true },
        prints: TaskFilePut,
      })
      .argument('<project>', 'its project')
      .argument('<file>', 'markdown; - is standard input')
      .option('--filename <name>', 'its name (default: of the file)')
      .option('--issue <number>', 'the issue it is about'),
  ).action(putTaskFile)
}
