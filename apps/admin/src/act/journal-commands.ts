import { readConfig } from '@nexus/core'
import { Argument, Option } from 'commander'
import { cursorOption, limitOption, wholeNumber } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { CommandError } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { type Paging, sayMore } from '../cli/paging.ts'
import { withStores } from '../cli/with-stores.ts'
import { findJournal } from '../compose.ts'
import { BulkResult } from './bulk.ts'
import { Conflicts, conflictsText, readConflicts } from './conflicts.ts'
import { JournalList, JournalShown, journalText, operationsText, readJournal, readOperations } from './journal.ts'
import { Replayed, replay, resolveConflicts } from './journal-replay.ts'

const list = async (options: Json): Promise<void> => {
  const found = await readJournal(await findJournal(readConfig(process.env)))
  print(options, JournalList, found, () => journalText(found))
}

const show = async (outage: number, options: Json & Paging): Promise<void> => {
  const files = await findJournal(readConfig(process.env))
  if (!files || !(await files.generations()).includes(outage))
    throw new CommandError('failed', `The journal has no outage ${outage}. See: nexus-admin journal ls`)
  const found = await readOperations(files, outage, options)
  print(options, JournalShown, found, () => operationsText(found))
  sayMore(found, options)
}

const showConflicts = async (options: Json): Promise<void> => {
  const found = await withStores(readConflicts)
  print(options, Conflicts, found, () => conflictsText(found))
}

const addReading = (cli: Cli): void => {
  cli
    .command(
      'journal ls',
      {
        description: 'What outages wrote: the one that is to be applied yet, and the last ones that are over.',
        examples: ['nexus-admin journal', 'nexus-admin journal ls --json'],
        prints: JournalList,
      },
      { isDefault: true },
    )
    .action(list)
  cli
    .command('journal show', {
      description: 'What one outage wrote, in order.',
      examples: ['nexus-admin journal show 3', 'nexus-admin journal show 3 --limit 10 --json'],
      exits: { failed: 'no such outage' },
      prints: JournalShown,
    })
    .addArgument(new Argument('<outage>', 'its number, as the list shows it').argParser(wholeNumber(1, 999_999)))
    .addOption(limitOption(100))
    .addOption(cursorOption().argParser((text) => String(wholeNumber(0, 999_999_999)(text))))
    .action(show)
  cli
    .command('journal conflicts', {
      description: 'What an outage wrote and others had changed meanwhile: both values, until one is taken.',
      examples: ['nexus-admin journal conflicts', 'nexus-admin journal conflicts --json'],
      exits: { unreachable: 'PostgreSQL cannot be reached' },
      prints: Conflicts,
    })
    .action(showConflicts)
}

/** `nexus-admin journal …`: what an outage wrote, until it is applied and every conflict decided. */
export const addJournalCommands = (cli: Cli): void => {
  cli.group('journal', 'What an outage wrote: look at it, apply it, and decide where others had changed the same.')
  addReading(cli)
  cli
    .command('journal replay', {
      description: 'Applies what an outage wrote, as hosts do by themselves when the database is back.',
      examples: ['nexus-admin journal replay', 'nexus-admin journal replay --json'],
      exits: { unreachable: 'PostgreSQL cannot be reached' },
      prints: Replayed,
    })
    .action(replay)
  cli
    .command('journal resolve', {
      description: 'Takes one of the two values of a conflict, which is over either way.',
      examples: [
        'nexus-admin journal resolve 0hofgx4gprs0 --take ours',
        'nexus-admin journal resolve --store hostState --key agents --take theirs --yes',
      ],
      exits: { failed: 'no such conflict', unreachable: 'PostgreSQL cannot be reached' },
      prints: BulkResult,
      completes: 'conflicts',
    })
    .argument('[ids...]', 'as journal conflicts shows them')
    .addOption(
      new Option('--take <value>', 'ours: what the outage wrote; theirs: what is there')
        .choices(['ours', 'theirs'])
        .makeOptionMandatory(),
    )
    .addOption(new Option('--store <store>', 'instead of ids: all of this store').choices(['hostState', 'completions']))
    .option('--key <key>', 'instead of ids: all of this key')
    .option('--dry-run', 'say which, and change nothing')
    .option('-y, --yes', 'ask nothing')
    .action(resolveConflicts)
}
