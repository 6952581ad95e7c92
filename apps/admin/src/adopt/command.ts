import { ConfigError, readConfig } from '@nexus/core'
import { z } from 'zod'
import type { Cli } from '../cli/cli.ts'
import type { Line } from '../cli/line.ts'
import { envelope, type Json, print } from '../cli/output.ts'
import { adoptDatabase, Database, databaseText, lookAtDatabase } from './database.ts'

/** What `adopt --json` prints. */
export const Adopted = envelope({ status: z.enum(['adopted', 'planned']), database: Database })
export type Adopted = z.output<typeof Adopted>

interface AdoptFlags extends Json {
  yes?: boolean
  dryRun?: boolean
}

const adoptedText = ({ status, database }: Adopted): Line[] => [
  ...databaseText(database),
  status === 'adopted' ? 'It was taken over.' : 'Nothing was changed: this is what --yes does.',
]

const adopt = async (flags: AdoptFlags): Promise<void> => {
  const config = readConfig(process.env)
  const before = await lookAtDatabase(config)
  if (before === null)
    throw new ConfigError(
      'NEXUS_STORAGE_DSN',
      'NEXUS_STORAGE_DSN is not set: adopt takes over a database. Set it to postgresql://user:password@host:5432/database. Files need none of this.',
    )
  const writes = flags.yes === true && flags.dryRun !== true
  const database = writes ? await adoptDatabase(config, before) : before
  const shown = { version: 1 as const, status: writes ? ('adopted' as const) : ('planned' as const), database }
  print(flags, Adopted, shown, () => adoptedText(shown))
}

/** `nexus-admin adopt`: the database of an earlier program, taken over in place. */
export const addAdoptCommand = (cli: Cli): void => {
  cli
    .command('adopt', {
      description: 'Say what the database of an earlier program is and what taking it over does; --yes does it.',
      examples: ['nexus-admin adopt', 'nexus-admin adopt --yes'],
      exits: { failed: 'the role may not do it, or both inboxes are tables', unreachable: true },
      prints: Adopted,
    })
    .option('--yes', 'do it')
    .option('--dry-run', 'only say it, as without --yes')
    .action(adopt)
}
