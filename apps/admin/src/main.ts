import { resolve } from 'node:path'
import { type Backend, ConfigError, isStoreError, type Resolution, readConfig } from '@nexus/core'
import { Argument, Command, CommanderError } from 'commander'
import { composeStores, findJournal } from './compose.ts'
import { checkConflicts, conflictsText, readConflicts, resolveConflict } from './conflicts.ts'
import { exit } from './exit.ts'
import { isDegraded, readStatus, statusText } from './status.ts'
import { addWorkflowCommand } from './workflow-command.ts'

const showStatus = async ({ json }: { json?: boolean }): Promise<void> => {
  const config = readConfig(process.env)
  const journal = await findJournal(config)
  await using stores = await composeStores(config)
  const status = await readStatus({ config, root: resolve(config.dir), stores, journal })
  process.stdout.write(`${json ? JSON.stringify(status, null, 2) : statusText(status)}\n`)
  process.exitCode = isDegraded(status) ? exit.degraded : exit.ok
}

const openForConflicts = async (): Promise<Backend> => {
  const config = readConfig(process.env)
  checkConflicts(config)
  return composeStores(config)
}

const showConflicts = async ({ json }: { json?: boolean }): Promise<void> => {
  await using stores = await openForConflicts()
  const found = await readConflicts(stores)
  process.stdout.write(`${json ? JSON.stringify(found, null, 2) : conflictsText(found)}\n`)
}

const resolveOne = async (id: string, take: Resolution, { json }: { json?: boolean }): Promise<void> => {
  await using stores = await openForConflicts()
  const resolved = await resolveConflict(stores, id, take)
  if (resolved.status === 'absent') process.exitCode = exit.failed
  const text = resolved.status === 'absent' ? `There is no conflict ${id}.` : `${id}: ${take} it is.`
  process.stdout.write(`${json ? JSON.stringify(resolved, null, 2) : text}\n`)
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

const conflicts = program
  .command('conflicts')
  .description('What an outage wrote and others had changed meanwhile: both values, until one is taken.')

conflicts
  .command('list', { isDefault: true })
  .description('All of them, latest first.')
  .option('--json', 'print JSON')
  .addHelpText(
    'after',
    `
Examples:
  nexus-admin conflicts
  nexus-admin conflicts list --json

Exit codes: 0 ok, 69 PostgreSQL cannot be reached, 78 configuration error.`,
  )
  .action(showConflicts)

conflicts
  .command('resolve')
  .description('Takes one of the two values; the conflict is over either way.')
  .argument('<id>', 'as the list shows it')
  .addArgument(new Argument('<take>', 'ours: what the outage wrote; theirs: what is there').choices(['ours', 'theirs']))
  .option('--json', 'print JSON')
  .addHelpText(
    'after',
    `
Examples:
  nexus-admin conflicts resolve 0hofgx4gprs0 ours
  nexus-admin conflicts resolve 0hofgx4gprs0 theirs --json

Exit codes: 0 resolved, 1 no such conflict, 69 PostgreSQL cannot be reached, 78 configuration error.`,
  )
  .action(resolveOne)

addWorkflowCommand(program)

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
