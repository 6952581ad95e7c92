import { readConfig } from '@nexus/core'
import type { Cli } from '../cli/cli.ts'
import { exit } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { withStores } from '../cli/with-stores.ts'
import { findJournal } from '../compose.ts'
import { isDegraded, readStatus, Status, statusText } from './status.ts'
import { readSeconds, watch } from './watch.ts'

const everySeconds = '2'

const status = async ({ json = false, watch: seconds }: Json & { watch?: string | true }): Promise<void> => {
  const every = seconds === undefined ? null : readSeconds(seconds === true ? everySeconds : seconds)
  const config = readConfig(process.env)
  await withStores(async (place) => {
    const read = async () => readStatus({ ...place, journal: await findJournal(config) })
    if (every !== null)
      return watch(
        async () => {
          const value = await read()
          return { value, lines: statusText(value) }
        },
        every,
        { json },
      )
    const found = await read()
    print({ json }, Status, found, () => statusText(found))
    process.exitCode = isDegraded(found) ? exit.degraded : exit.ok
  })
}

export const addStatusCommand = (cli: Cli): void => {
  cli
    .command('status', {
      description: 'Where each store lives, which variable decided it, how it is, and how much it holds.',
      examples: [
        'nexus-admin status',
        'nexus-admin status --json',
        'nexus-admin status --watch 5',
        'NEXUS_DIR=/srv/nexus nexus-admin status',
      ],
      exits: { degraded: 'a store cannot be reached or the journal is not applied yet' },
      prints: Status,
    })
    .option(
      '--watch [seconds]',
      'look again every so many seconds (2 unless given) and show what changed, until Ctrl-C',
    )
    .action(status)
}
