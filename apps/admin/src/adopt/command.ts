import { ConfigError, readConfig } from '@nexus/core'
import { Option } from 'commander'
import { z } from 'zod'
import type { Cli } from '../cli/cli.ts'
import { exit, usageError } from '../cli/exit.ts'
import type { Line } from '../cli/line.ts'
import { envelope, type Json, print } from '../cli/output.ts'
import { adoptDatabase, Database, databaseText, lookAtDatabase } from './database.ts'
import { adoptRoots, type RootFlags, Roots, rootsText } from './roots.ts'

/** What `adopt --json` prints. */
export const Adopted = envelope({
  status: z.enum(['adopted', 'planned', 'nothing', 'refused']),
  database: Database.nullable().describe('null: roots were named'),
  merged: Roots.nullable().describe('null: no roots were named'),
})
export type Adopted = z.output<typeof Adopted>

interface AdoptFlags extends Json, RootFlags {}

const meanings = {
  adopted: 'It was taken over.',
  nothing: 'There is nothing to take over, and nothing was changed.',
  planned: 'Nothing was changed: this is what --yes does.',
  refused:
    'Nothing was changed: one key stands for different records. Say which stay: --prefer newest, or --prefer first.',
} as const satisfies Record<Adopted['status'], string>

const adoptedText = ({ status, database, merged }: Adopted): Line[] => [
  ...(database ? databaseText(database) : []),
  ...(merged ? rootsText(merged) : []),
  status === 'refused' && database ? 'It cannot be taken over as it is, and nothing was changed.' : meanings[status],
]

/** What keeps a database from being taken over, or that there is nothing to do; null where there is. */
const settledStatus = ({ tables, inbox, problem }: Database): 'nothing' | 'refused' | null => {
  if (tables === 'refused' || tables === 'unreadable') return 'refused'
  if (tables !== 'current' || inbox !== 'ours') return null
  return problem === null ? 'nothing' : 'refused'
}

const adoptTheDatabase = async (flags: AdoptFlags): Promise<Adopted> => {
  const config = readConfig(process.env)
  const before = await lookAtDatabase(config)
  if (before === null)
    throw new ConfigError(
      'NEXUS_STORAGE_DSN',
      'NEXUS_STORAGE_DSN is not set: adopt takes over a database, or the .nexus folders that it is given. Set it to postgresql://user:password@host:5432/database, or name folders.',
    )
  const settled = settledStatus(before)
  if (settled) return { version: 1, status: settled, database: before, merged: null }
  const writes = flags.yes === true && flags.dryRun !== true
  const database = writes ? await adoptDatabase(config, before) : before
  return { version: 1, status: writes ? 'adopted' : 'planned', database, merged: null }
}

const adoptTheRoots = async (paths: readonly string[], flags: AdoptFlags): Promise<Adopted> => {
  const before = await lookAtDatabase(readConfig(process.env))
  if (before?.inbox === 'earlier')
    throw usageError('The database has to be taken over first: nexus-admin adopt --yes. Then the folders.')
  const { status, ...merged } = await adoptRoots(paths, flags)
  return { version: 1, status, database: null, merged }
}

const exitOf = ({ status, merged }: Adopted): number => {
  if (status === 'refused') return merged ? exit.different : exit.failed
  if (!merged) return exit.ok
  if (merged.not_kept.length + merged.unlike.length > 0) return exit.failed
  return merged.unreadable.length > 0 ? exit.degraded : exit.ok
}

const adopt = async (paths: string[], flags: AdoptFlags): Promise<void> => {
  const shown = paths.length > 0 ? await adoptTheRoots(paths, flags) : await adoptTheDatabase(flags)
  process.exitCode = exitOf(shown)
  print(flags, Adopted, shown, () => adoptedText(shown))
}

/** `nexus-admin adopt`: what earlier programs left, in a database or in folders of workspaces. */
export const addAdoptCommand = (cli: Cli): void => {
  cli
    .command('adopt', {
      description: 'Say what an earlier database, or the folders named, hold and what taking over does; --yes does it.',
      examples: [
        'nexus-admin adopt',
        'nexus-admin adopt --yes',
        'nexus-admin adopt shop/.nexus blog/.nexus',
        'nexus-admin adopt shop blog --prefer newest --yes',
      ],
      exits: {
        failed:
          'the database cannot be taken over, the role may not do it, both inboxes are tables, or some records are not kept',
        degraded: 'some records are unreadable: they stay where they are',
        different: 'nothing was changed: one key stands for different records',
        unreachable: true,
      },
      prints: Adopted,
    })
    .argument('[roots...]', 'folders named .nexus, or workspaces that hold one; they stay as they are')
    .addOption(
      new Option('--prefer <which>', 'of different records of one key, which stay').choices(['newest', 'first']),
    )
    .option('--yes', 'do it')
    .option('--dry-run', 'only say it, as without --yes')
    .action(adopt)
}
