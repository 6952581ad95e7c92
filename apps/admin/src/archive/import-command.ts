import { InvalidArgumentError } from 'commander'
import { audited } from '../audit/audit.ts'
import type { Cli } from '../cli/cli.ts'
import { exit, usageError } from '../cli/exit.ts'
import { standardInput } from '../cli/input.ts'
import type { Line } from '../cli/line.ts'
import { type Json, print, say } from '../cli/output.ts'
import { confirmed } from '../cli/prompt.ts'
import { table } from '../cli/table.ts'
import { type Place, withStores } from '../cli/with-stores.ts'
import { endOf } from '../move/ends.ts'
import { openMoveFolder } from '../move/folder.ts'
import { withProgress } from '../move/progress.ts'
import { createRefusals, putAside } from '../move/refused.ts'
import { interruptible } from '../move/stop-signal.ts'
import { checkAtHome, checkNoMove } from './at-home.ts'
import {
  compareArchive,
  Imported,
  type ImportTools,
  type ReadTools,
  verifyArchive,
  writeFromArchive,
} from './import.ts'
import type { Whole } from './read.ts'
import { openSource } from './source.ts'

interface ImportFlags extends Json {
  yes?: boolean
  dryRun?: boolean
  replace?: boolean
  keep?: boolean
  foreignNames?: boolean
  maxSize?: number
}

const countOf = (imported: Pick<Imported, 'stores'>, member: 'missing' | 'different'): number =>
  imported.stores.reduce((sum, store) => sum + store[member], 0)

const importedText = ({ status, stores, different, not_kept: notKept, unlike }: Imported): Line[] => {
  const columns = ['store', 'in the archive', 'missing', 'equal', 'different'].map((heading) => ({ heading }))
  const rows = stores.map((row) => [row.store, ...[row.records, row.missing, row.equal, row.different].map(String)])
  const meaning = {
    imported: 'Imported.',
    planned: 'Nothing was imported: this is what it would do.',
    refused:
      'Nothing was imported: records are there with another content. --keep leaves them and writes what is missing, also where an import was stopped and they were changed since; --replace puts the content of the archive over theirs.',
  }[status]
  return [
    ...table(columns, rows),
    ...different.map(({ store, key }) => `different: ${store} ${key}`),
    ...notKept.map(({ store, reason }) => `not kept: ${store}: ${reason}`),
    ...unlike.map(({ store, key }) => `not as in the archive: ${store} ${key}`),
    meaning,
  ]
}

const writeAll = async (
  place: Place,
  tools: ImportTools,
  whole: Whole,
  file: string,
  { replace, keep }: { replace: boolean; keep: boolean },
): Promise<Pick<Imported, 'not_kept' | 'unlike'>> => {
  const folder = openMoveFolder(place.root)
  await using _lock = await folder.lock()
  await checkNoMove(folder, whole.header.stores)
  await checkAtHome(tools.records, whole.header.stores, tools.signal)
  const refusals = createRefusals()
  const records = putAside(tools.records, refusals.add)
  await audited(
    place.root,
    { command: 'import', arguments: { file, replace, keep, sha256: whole.trailer.sha256 }, what: whole.header.stores },
    () => writeFromArchive({ ...tools, records }, whole, { replace }),
    (written) => ({ status: 'done', written: written - refusals.count, not_kept: refusals.count }),
  )
  // A move that was begun from another root may have closed them meanwhile.
  await checkAtHome(tools.records, whole.header.stores, tools.signal)
  const { missing, different } = await compareArchive(tools, whole)
  return { not_kept: [...refusals.named], unlike: keep ? missing : [...missing, ...different] }
}

const importInto = async (
  place: Place,
  tools: ImportTools,
  whole: Whole,
  { file, flags }: { file: string; flags: ImportFlags },
): Promise<Imported | null> => {
  const { replace = false, keep = false, dryRun = false } = flags
  await checkAtHome(tools.records, whole.header.stores, tools.signal)
  await checkNoMove(openMoveFolder(place.root), whole.header.stores)
  const { stores, different } = await compareArchive(tools, whole)
  const found = {
    version: 1 as const,
    created_at: whole.header.createdAt,
    sha256: whole.trailer.sha256,
    stores,
    different,
    not_kept: [],
    unlike: [],
  }
  if (!replace && !keep && different.length > 0) return { ...found, status: 'refused' }
  if (dryRun) return { ...found, status: 'planned' }
  const replaced = replace ? countOf(found, 'different') : 0
  const changes = countOf(found, 'missing') + replaced
  const question = `import: write ${countOf(found, 'missing')} records and replace ${replaced}?`
  if (replaced > 0) say(`warning: --replace: ${replaced} records lose what is there now.`)
  if (changes === 0) return { ...found, status: 'imported' }
  if (!(await confirmed(question, flags))) return null
  return { ...found, ...(await writeAll(place, tools, whole, file, { replace, keep })), status: 'imported' }
}

/** The stores are opened when the archive is known to be whole: before that nothing is made for it. */
const importFrom = async (file: string, flags: ImportFlags, tools: ReadTools): Promise<Imported | null> => {
  const whole = await verifyArchive(tools)
  return withStores((place) =>
    importInto(place, { ...tools, records: endOf(place.stores).records }, whole, { file, flags }),
  )
}

const importArchive = async (file: string, flags: ImportFlags): Promise<void> => {
  if (flags.keep && flags.replace)
    throw usageError('--keep and --replace: records of another content are either left or replaced. Give one of them.')
  const imported = await interruptible(async (signal) => {
    await using source = await openSource(file, flags.maxSize ?? null, signal)
    const given = { source, signal, foreignNames: flags.foreignNames ?? false }
    return await withProgress((progress) => importFrom(file, flags, { ...given, progress }))
  })
  if (imported === null || imported.status === 'refused' || imported.not_kept.length > 0) process.exitCode = exit.failed
  else if (imported.unlike.length > 0) process.exitCode = exit.different
  if (imported) print(flags, Imported, imported, () => importedText(imported))
}

const units = { k: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const

const isUnit = (text: string | undefined): text is keyof typeof units => text !== undefined && text in units

/** Reads a number of bytes: `500M`, `8G`. */
const byteSize = (text: string): number => {
  const [, count, unit] = /^(\d{1,6})([kMGT])$/.exec(text) ?? []
  if (!isUnit(unit)) throw new InvalidArgumentError('A size such as 500M or 8G is meant.')
  return Number(count) * units[unit]
}

const fails = 'refused: the archive is damaged or hostile, or records are there with another content'

/** `nexus-admin import`: an archive into any backends. */
export const addImportCommand = (cli: Cli): void => {
  cli
    .command('import', {
      description: 'Bring an archive into the stores, after all of it was verified. What is equal is left alone.',
      examples: [
        'nexus-admin import backup.jsonl.gz --dry-run',
        'nexus-admin import backup.jsonl.gz --yes',
        'gzip -dc small.jsonl.gz | nexus-admin import - --yes',
      ],
      exits: {
        failed: fails,
        different: 'afterwards some records are not as in the archive',
        unreachable: true,
        locked: 'a move of this root is under way',
      },
      prints: Imported,
    })
    .argument('[file]', 'the archive; - is standard input', standardInput)
    .option('--dry-run', 'verify and compare only')
    .option('--yes', 'without a question')
    .option('--keep', 'leave records that are there with another content, and write what is missing')
    .option('--replace', 'replace records that are there with another content')
    .option('--foreign-names', 'take names that other programs gave, such as acme/web')
    .option('--max-size <size>', 'unpacked bytes that the archive may have: 500M, 8G', byteSize)
    .action(importArchive)
}
