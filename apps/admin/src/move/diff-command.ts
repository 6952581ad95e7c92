import { ConfigError, readConfig } from '@nexus/core'
import { wholeNumber } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { exit, usageError } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { composeBackend } from '../compose.ts'
import { compareEnds, Differences, differencesText } from './diff.ts'
import { endOf } from './ends.ts'
import { withProgress } from './progress.ts'
import { backendOf, storesOf } from './site.ts'
import { interruptible } from './stop-signal.ts'

type Options = Json & {
  from: string
  to: string
  fromDir?: string
  toDir?: string
  fromDsn?: string
  toDsn?: string
  store: string
  limit: number
}

/** The value of a variable that an option names: a DSN on the command line would be there for all to read. */
const variableIn = (option: string, name: string | undefined): string | null => {
  if (name === undefined) return null
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw usageError(`${option}: name a variable that holds it, not the value.`)
  const value = process.env[name]
  if (value) return value
  throw new ConfigError(name, `${name} is not set, but ${option} names it.`)
}

const openSide = async (
  option: string,
  name: string,
  given: { dir?: string | undefined; dsn?: string | undefined },
) => {
  const config = readConfig({
    ...process.env,
    ...(given.dsn && { NEXUS_STORAGE_DSN: variableIn(`${option}-dsn`, given.dsn) ?? '' }),
  })
  const dir = variableIn(`${option}-dir`, given.dir) ?? config.dir
  const backend = backendOf(option, name)
  if (backend === 'postgres' && config.dsn === null)
    throw new ConfigError(
      'NEXUS_STORAGE_DSN',
      `NEXUS_STORAGE_DSN is not set, and ${option}-dsn names no variable in its place.`,
    )
  return composeBackend(backend, { dir, dsn: config.dsn })
}

const diff = async (options: Options): Promise<void> => {
  const found = await interruptible(async (signal) => {
    await using source = await openSide('--from', options.from, { dir: options.fromDir, dsn: options.fromDsn })
    await using target = await openSide('--to', options.to, { dir: options.toDir, dsn: options.toDsn })
    const ends = { source: endOf(source), target: endOf(target) }
    const given = { stores: storesOf(options.store), limit: options.limit, signal }
    return await withProgress((progress) => compareEnds(ends, { ...given, progress }))
  })
  print(options, Differences, found, () => differencesText(found))
  if (!found.equal) process.exitCode = exit.different
}

/** `nexus-admin diff`: two backends, or two of a kind, by content. */
export const addDiffCommand = (cli: Cli): void => {
  cli
    .command('diff', {
      description: 'Compare two backends by content, record by record. Changes nothing.',
      examples: [
        'nexus-admin diff --from filesystem --to postgres',
        'nexus-admin diff --from filesystem --to filesystem --to-dir OTHER_ROOT --store inbox',
        'nexus-admin diff --from postgres --to postgres --to-dsn OTHER_DSN --json',
      ],
      exits: { different: true, unreachable: true },
      prints: Differences,
    })
    .requiredOption('--from <backend>', 'filesystem or postgres')
    .requiredOption('--to <backend>', 'filesystem or postgres')
    .option('--from-dir <variable>', 'a variable that holds the root to use in place of NEXUS_DIR')
    .option('--to-dir <variable>', 'the same for the other side')
    .option('--from-dsn <variable>', 'a variable that holds the DSN to use in place of NEXUS_STORAGE_DSN')
    .option('--to-dsn <variable>', 'the same for the other side')
    .option('--store <names>', 'all, or names with commas between', 'all')
    .option('--limit <n>', 'so many differences are named', wholeNumber(0, 1_000_000), 20)
    .action(diff)
}
