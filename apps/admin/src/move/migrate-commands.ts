import { storeVariables } from '@nexus/core'
import type { Command } from 'commander'
import { audited } from '../audit/audit.ts'
import { wholeNumber } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { exit } from '../cli/exit.ts'
import { linesOf } from '../cli/line.ts'
import { envelope, type Json, print, say } from '../cli/output.ts'
import { confirmed } from '../cli/prompt.ts'
import { compareEnds, Differences, differencesText } from './diff.ts'
import { finishMove } from './finish.ts'
import { Migration, moveOptions } from './migration.ts'
import { runMove } from './orders.ts'
import { MovePlan, planMove, planText } from './plan.ts'
import { type Progress, withProgress } from './progress.ts'
import { type DirectionOptions, type Site, withSite } from './site.ts'
import { interruptible } from './stop-signal.ts'
import { lossOf, type UndoOptions, undoable, undoMove } from './undo.ts'

/** What `migrate run`, `finish` and `undo` print with `--json`: the receipt as its file has it. */
export const Receipt = envelope({ file: Migration.shape.id.describe('where the receipt lies'), receipt: Migration })

interface Drain {
  drainTimeout: number
}

type Options = Json & DirectionOptions

const plan = async (options: Options & { leaveCorrupt?: boolean }): Promise<void> => {
  const leaveCorrupt = options.leaveCorrupt ?? false
  const found = await interruptible((signal) => withSite(options, (site) => planMove(site, { leaveCorrupt, signal })))
  print(options, MovePlan, found, () => planText(found))
  if (found.problems.length > 0) process.exitCode = exit.degraded
}

const receiptText = ({ phase, from, to, stores, verified, moved_at: movedAt }: Migration): string => {
  const records = (verified ?? []).reduce((sum, each) => sum + each.records, 0)
  const variables = stores.map((store) => `${storeVariables[store]}=${to}`).join(' ')
  switch (phase) {
    case 'moved':
      return `Moved at ${movedAt}: ${records} records, equal on both sides. Start hosts with ${variables}\nThe copy in ${from} stays until: nexus-admin migrate finish ${moveOptions({ from, to, stores })}`
    case 'finished':
      return `The copy in ${from} is deleted; ${stores.join(', ')} stay in ${to}.`
    case 'undone':
      return `${stores.join(', ')} are at home in ${from} again.`
    case 'copying':
    case 'closing':
      return `It is under way: nexus-admin migrate run ${moveOptions({ from, to, stores })}`
  }
}

type Order = (progress: Progress) => Promise<Migration>

/** What its options allow, as the audit trail says it. */
interface Allowed extends Json {
  yes?: boolean
  force?: boolean
  leaveCorrupt?: boolean
  targetLost?: string
}

const ordered = async (site: Site, command: string, options: Allowed, order: Order): Promise<void> => {
  const { from, to, stores } = site.direction
  const { yes = false, force = false, leaveCorrupt = false, targetLost } = options
  const allowed = {
    ...(yes && { yes }),
    ...(force && { force }),
    ...(leaveCorrupt && { leave_corrupt: true }),
    ...(targetLost !== undefined && { target_lost: targetLost }),
  }
  const receipt = await audited(
    site.root,
    { command: `migrate ${command}`, arguments: { from, to, ...allowed }, what: stores },
    () => withProgress(order),
    ({ id, phase }) => ({ status: phase, id }),
  )
  const file = site.folder.file(receipt.id)
  print(options, Receipt, { version: 1, file, receipt }, () => [...linesOf(receiptText(receipt)), `Receipt: ${file}`])
}

const patience = ({ drainTimeout }: Drain): { patienceMs: number } => ({ patienceMs: drainTimeout * 1000 })

const run = (options: Options & Drain & { leaveCorrupt?: boolean }): Promise<void> =>
  interruptible((signal) =>
    withSite(options, (site) => {
      const leaveCorrupt = options.leaveCorrupt ?? false
      const given = { ...patience(options), leaveCorrupt, signal }
      return ordered(site, 'run', options, (progress) => runMove(site, { ...given, progress }))
    }),
  )

const verify = async (options: Options & { limit: number }): Promise<void> => {
  const { limit } = options
  const found = await interruptible((signal) =>
    withSite(options, ({ ends, direction: { stores } }) =>
      withProgress((progress) => compareEnds(ends, { stores, limit, signal, progress })),
    ),
  )
  print(options, Differences, found, () => differencesText(found))
  if (!found.equal) process.exitCode = exit.different
}

const refused = (): void => {
  process.exitCode = exit.failed
}

const finish = (options: Options & { yes?: boolean; force?: boolean }): Promise<void> =>
  interruptible((signal) =>
    withSite(options, async (site) => {
      const { from, stores } = site.direction
      const question = `migrate finish: delete ${stores.join(', ')} from ${from} for good?`
      if (!(await confirmed(question, options))) return refused()
      const given = { force: options.force ?? false, patienceMs: 0, signal }
      await ordered(site, 'finish', options, (progress) => finishMove(site, { ...given, progress }))
    }),
  )

const mayUndo = async (site: Site, options: { yes?: boolean }, given: UndoOptions): Promise<boolean> => {
  const { signal, targetLost } = given
  const { migration, wasOpened } = await undoable(site, given)
  if (!wasOpened || options.yes) return true
  const { from, to } = site.direction
  if (targetLost !== null) {
    const present = await site.ends.target.records.identity({ signal })
    return confirmed(
      `migrate undo: the ${to} of this move was ${migration.places.to}, and this one is ${present}. Is the first lost for good, and is every host stopped? Then the copy in ${from} is taken as it was moved, without what the lost one had since.`,
      options,
    )
  }
  const { written, removed } = await lossOf(site, { signal })
  say(`${written} records come back new or changed; ${removed} are in ${from} alone.`)
  return removed === 0 || confirmed(`migrate undo: delete these ${removed} from ${from}?`, options)
}

const undo = (options: Options & Drain & { yes?: boolean; targetLost?: string }): Promise<void> =>
  interruptible((signal) =>
    withSite(options, async (site) => {
      const given = { ...patience(options), targetLost: options.targetLost ?? null, signal }
      if (!(await mayUndo(site, options, given))) return refused()
      await ordered(site, 'undo', options, (progress) => undoMove(site, { ...given, progress }))
    }),
  )

const directed = (command: Command): Command =>
  command
    .requiredOption('--from <backend>', 'where the stores are: filesystem or postgres')
    .requiredOption('--to <backend>', 'where they are to be')
    .option('--store <names>', 'all, or names with commas between', 'all')

const drained = (command: Command): Command =>
  command.option(
    '--drain-timeout <seconds>',
    'how long to wait for hosts to begin nothing new; whoever has not answered by then is refused',
    wholeNumber(0, 86_400),
    60,
  )

const both = '--from filesystem --to postgres'

const addLooks = (cli: Cli): void => {
  directed(
    cli.command('migrate plan', {
      description: 'Count what would move, and say what stands in the way. Changes no record.',
      examples: [`nexus-admin migrate plan ${both}`, `nexus-admin migrate plan ${both} --store inbox --json`],
      exits: { degraded: 'something stands in the way', unreachable: true },
      prints: MovePlan,
    }),
  )
    .option('--leave-corrupt', 'do not mind unreadable records: they stay where they are')
    .action(plan)
  directed(
    cli.command('migrate verify', {
      description: 'Compare both sides by content, and name what differs.',
      examples: [`nexus-admin migrate verify ${both}`, `nexus-admin migrate verify ${both} --store taskFiles --json`],
      exits: { different: true, unreachable: true },
      prints: Differences,
    }),
  )
    .option('--limit <n>', 'so many differences are named', wholeNumber(0, 1_000_000), 20)
    .action(verify)
}

/** `nexus-admin migrate …`: stores from one backend to another while hosts are at work. */
export const addMigrateCommands = (cli: Cli): void => {
  cli.group('migrate', 'Move stores from one backend to another, while hosts are at work.')
  addLooks(cli)
  const exits = { locked: 'another migrator is at work', unreachable: true } as const
  drained(
    directed(
      cli.command('migrate run', {
        description:
          'Move the stores, or go on with it: copy, close the source, compare, open the target. The source keeps its copy.',
        examples: [`nexus-admin migrate run ${both}`, `nexus-admin migrate run ${both} --store inbox,completions`],
        exits: { ...exits, failed: 'something stands in the way', different: 'both sides stayed different' },
        prints: Receipt,
      }),
    ),
  )
    .option('--leave-corrupt', 'unreadable records stay where they are')
    .action(run)
  directed(
    cli.command('migrate finish', {
      description: 'Delete the copy that a move has left in its source.',
      examples: [`nexus-admin migrate finish ${both} --yes`],
      exits: { ...exits, failed: 'there is nothing to finish', different: 'the copy is not what was moved' },
      prints: Receipt,
    }),
  )
    .option('--yes', 'do not ask')
    .option('--force', 'also where the copy has changed since the move')
    .action(finish)
  drained(
    directed(
      cli.command('migrate undo', {
        description: 'Take a move back, with all that has changed since.',
        examples: [`nexus-admin migrate undo ${both}`, `nexus-admin migrate undo ${both} --store inbox --yes`],
        exits: { ...exits, failed: 'there is nothing to take back' },
        prints: Receipt,
      }),
    ),
  )
    .option(
      '--target-lost <identity>',
      'the target of this identity is gone for good, and every host is stopped: the source is opened again as it was moved',
    )
    .option('--yes', 'do not ask, even where records are deleted that only the source has')
    .action(undo)
}
