import { resolve } from 'node:path'
import { type Records, systemClock } from '@nexus/core'
import type { Cli } from '../cli/cli.ts'
import { CommandError, usageError } from '../cli/exit.ts'
import { standardInput } from '../cli/input.ts'
import { type Json, print, say } from '../cli/output.ts'
import { withStores } from '../cli/with-stores.ts'
import { endOf } from '../move/ends.ts'
import { withProgress } from '../move/progress.ts'
import { storesOf } from '../move/site.ts'
import { interruptible } from '../move/stop-signal.ts'
import { checkAtHome } from './at-home.ts'
import { Exported, type ExportOptions, fileOutput, standardOutput, writeArchive } from './export.ts'
import type { Trailer } from './format.ts'
import { openTarget, unwritten } from './target.ts'

interface ExportFlags extends Json {
  store: string
  skipCorrupt?: boolean
  force?: boolean
}

const toFile = async (file: string, records: Records, flags: ExportFlags, options: ExportOptions): Promise<Trailer> => {
  const target = await openTarget(resolve(file), { force: flags.force ?? false })
  try {
    const output = fileOutput(target.stream, { packed: file.endsWith('.gz') })
    const trailer = await writeArchive(records, output, options)
    await target.finish()
    return trailer
  } catch (error) {
    throw unwritten(file, error)
  } finally {
    await target.discard()
  }
}

const exportStores = async (file: string, flags: ExportFlags): Promise<void> => {
  const toStdout = file === standardInput
  if (toStdout && flags.json)
    throw usageError('The archive itself goes to standard output: leave --json out, or name a file.')
  const stores = storesOf(flags.store)
  let corrupt = 0
  const checkCorrupt = (): void => {
    if (corrupt === 0 || flags.skipCorrupt) return
    throw new CommandError(
      'failed',
      `${corrupt} records cannot be read, so there is no archive. Mend them, or leave them out with --skip-corrupt.`,
    )
  }
  const trailer = await interruptible((signal) =>
    withStores(({ stores: opened }) =>
      withProgress(async (progress) => {
        const { records } = endOf(opened)
        await checkAtHome(records, stores, signal)
        const options: ExportOptions = {
          stores,
          createdAt: new Date(systemClock.now()),
          signal,
          progress,
          onCorrupt(store, { name, place, reason }) {
            corrupt += 1
            say(`unreadable: ${store} ${name} (${place}): ${reason}`)
          },
          beforeEnd: checkCorrupt,
        }
        return await (toStdout
          ? writeArchive(records, standardOutput(), options)
          : toFile(file, records, flags, options))
      }),
    ),
  )
  if (toStdout) return
  const shown = { version: 1 as const, file, ...trailer, corrupt }
  print(flags, Exported, shown, () => [`${trailer.records} records are in ${file}.`])
}

/** `nexus-admin export`: whole stores as one file. */
export const addExportCommand = (cli: Cli): void => {
  cli
    .command('export', {
      description: 'Write whole stores into one archive: JSON lines with checksums, packed where the name ends in .gz.',
      examples: [
        'nexus-admin export backup.jsonl.gz',
        'nexus-admin export --store inbox,workflows work.jsonl',
        'nexus-admin export | gzip -9 > small.jsonl.gz',
      ],
      exits: { failed: 'records cannot be read, or the file is there already', unreachable: true },
      prints: Exported,
    })
    .argument('[file]', 'where to; - is standard output', standardInput)
    .option('--store <names>', 'these stores, with commas between', 'all')
    .option('--skip-corrupt', 'leave out records that cannot be read')
    .option('--force', 'replace a file that is there')
    .action(exportStores)
}
