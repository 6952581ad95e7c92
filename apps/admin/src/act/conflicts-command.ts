import type { Resolution } from '@nexus/core'
import { Argument } from 'commander'
import type { Cli } from '../cli/cli.ts'
import { exit } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { withStores } from '../cli/with-stores.ts'
import { Conflicts, conflictsText, Resolved, readConflicts, resolveConflict } from './conflicts.ts'

const showConflicts = async (options: Json): Promise<void> => {
  const found = await withStores(readConflicts)
  print(options, Conflicts, found, () => conflictsText(found))
}

const resolveOne = async (id: string, take: Resolution, options: Json): Promise<void> => {
  const resolved = await withStores((place) => resolveConflict(place, id, take))
  if (resolved.status === 'absent') process.exitCode = exit.failed
  print(options, Resolved, resolved, () =>
    resolved.status === 'absent' ? `There is no conflict ${id}.` : `${id}: ${take} it is.`,
  )
}

export const addConflictCommands = (cli: Cli): void => {
  cli.group('conflicts', 'What an outage wrote and others had changed meanwhile: both values, until one is taken.')
  cli
    .command(
      'conflicts list',
      {
        description: 'All of them, latest first.',
        examples: ['nexus-admin conflicts', 'nexus-admin conflicts list --json'],
        exits: { unreachable: 'PostgreSQL cannot be reached' },
        prints: Conflicts,
      },
      { isDefault: true },
    )
    .action(showConflicts)
  cli
    .command('conflicts resolve', {
      description: 'Takes one of the two values; the conflict is over either way.',
      examples: [
        'nexus-admin conflicts resolve 0hofgx4gprs0 ours',
        'nexus-admin conflicts resolve 0hofgx4gprs0 theirs --json',
      ],
      exits: { failed: 'no such conflict', unreachable: 'PostgreSQL cannot be reached' },
      prints: Resolved,
    })
    .argument('<id>', 'as the list shows it')
    .addArgument(
      new Argument('<take>', 'ours: what the outage wrote; theirs: what is there').choices(['ours', 'theirs']),
    )
    .action(resolveOne)
}
