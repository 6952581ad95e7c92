import { readConfig } from '@nexus/core'
import type { Cli } from '../cli/cli.ts'
import { exit } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { withStores } from '../cli/with-stores.ts'
import { findJournal } from '../compose.ts'
import { addDoctorCommand } from './doctor/command.ts'
import { isDegraded, readStatus, Status, statusText } from './status.ts'

const showStatus = async (options: Json): Promise<void> => {
  const journal = await findJournal(readConfig(process.env))
  const status = await withStores((place) => readStatus({ ...place, journal }))
  print(options, Status, status, () => statusText(status))
  process.exitCode = isDegraded(status) ? exit.degraded : exit.ok
}

/** Where everything is, and how it is. */
export const addSeeCommands = (cli: Cli): void => {
  cli
    .command('status', {
      description: 'Where each store lives, which variable decided it, how it is, and how much it holds.',
      examples: ['nexus-admin status', 'nexus-admin status --json', 'NEXUS_DIR=/srv/nexus nexus-admin status'],
      exits: { degraded: 'a store cannot be reached or the journal is not applied yet' },
      prints: Status,
    })
    .action(showStatus)
  addDoctorCommand(cli)
}
