import { cursorOption, limitOption } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { type Json, print } from '../cli/output.ts'
import { sayMore } from '../cli/paging.ts'
import { withStores } from '../cli/with-stores.ts'
import {
  type CompletionFilter,
  CompletionList,
  CompletionShown,
  completionsText,
  completionText,
  readCompletion,
  readHistory,
  readLatest,
} from './completions.ts'

const list = async (options: Json & CompletionFilter & { issue?: string }): Promise<void> => {
  const found = await withStores(({ stores }) => readLatest(stores, options))
  print(options, CompletionList, found, () => completionsText(found))
  sayMore(found, options)
}

const history = async (issue: string, options: Json & CompletionFilter): Promise<void> => {
  const found = await withStores(({ stores }) => readHistory(stores, issue, options))
  print(options, CompletionList, found, () => completionsText(found))
  sayMore(found, options)
}

const show = async (issue: string, options: Json & { project?: string }): Promise<void> => {
  const found = await withStores(({ stores }) => readCompletion(stores, issue, options.project))
  print(options, CompletionShown, found, () => completionText(found))
}

/** `nexus-admin completion …`: what agents reported. */
export const addCompletionCommands = (cli: Cli): void => {
  cli.group('completion', 'What agents reported.')
  cli
    .command(
      'completion ls',
      {
        description: 'The latest report on each issue, latest first.',
        examples: ['nexus-admin completion', 'nexus-admin completion ls --project shop --json'],
        exits: { unreachable: true },
        prints: CompletionList,
      },
      { isDefault: true },
    )
    .option('--project <key>', 'of this project')
    .option('--issue <number>', 'on this issue')
    .addOption(limitOption(50))
    .addOption(cursorOption())
    .action(list)
  cli
    .command('completion show', {
      description: 'The latest report on an issue, with all that the agent said.',
      examples: ['nexus-admin completion show 12', 'nexus-admin completion show 12 --project shop --json'],
      exits: { failed: 'no report on it', unreachable: true },
      prints: CompletionShown,
      completes: 'issues',
    })
    .argument('<issue>', 'an issue number')
    .option('--project <key>', 'of this project, where several have such an issue')
    .action(show)
  cli
    .command('completion history', {
      description: 'Every report on an issue, latest first.',
      examples: ['nexus-admin completion history 12', 'nexus-admin completion history 12 --project shop --json'],
      exits: { unreachable: true },
      prints: CompletionList,
      completes: 'issues',
    })
    .argument('<issue>', 'an issue number')
    .option('--project <key>', 'of this project')
    .addOption(limitOption(100))
    .addOption(cursorOption())
    .action(history)
}
