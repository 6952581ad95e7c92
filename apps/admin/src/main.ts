import { resolve } from 'node:path'
import { ConfigError, configErrorExitCode, isStoreError, readConfig } from '@nexus/core'
import { Command, CommanderError } from 'commander'
import { composeStores, findJournal } from './compose.ts'
import { isDegraded, readStatus, statusText } from './status.ts'

/** Exit codes, as every command of this program uses them. */
const exit = { ok: 0, failed: 1, usage: 2, degraded: 3, unreachable: 69, configuration: configErrorExitCode } as const

const showStatus = async ({ json }: { json?: boolean }): Promise<void> => {
  const config = readConfig(process.env)
  const journal = await findJournal(config)
  await using stores = await composeStores(config)
  const status = await readStatus({ config, root: resolve(config.dir), stores, journal })
  process.stdout.write(`${json ? JSON.stringify(status, null, 2) : statusText(status)}\n`)
  process.exitCode = isDegraded(status) ? exit.degraded : exit.ok
}

const program = new Command('nexus-admin')
  .description('See, repair and move the state that Nexus keeps.')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })

program
  .command('status')
  .description('Where each store lives, which variable decided it, how it is, and how much it holds.')
  .option('--json', 'print JSON')
  .addHelpText(
    'after',
    `
Examples:
  nexus-admin status
  nexus-admin status --json
  NEXUS_DIR=/srv/nexus nexus-admin status

Exit codes: 0 ok, 3 a store cannot be reached or the journal is not applied yet, 78 configuration error.`,
  )
  .action(showStatus)

const exitCodeOf = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage
  if (error instanceof ConfigError) return exit.configuration
  return isStoreError(error, 'unavailable') ? exit.unreachable : exit.failed
}

try {
  await program.parseAsync()
} catch (error) {
  // Commander has printed its own message already.
  if (!(error instanceof CommanderError)) process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = exitCodeOf(error)
}
