import { type Records, type StoreName, type StoreRecord, storeNames } from '@nexus/core'
import { z } from 'zod'
import { envelope } from '../cli/output.ts'
import { contentOf } from '../move/content.ts'
import { textLength } from '../move/pages.ts'
import type { Progress } from '../move/progress.ts'
import { keyOf } from './format.ts'
import type { NameOptions } from './names.ts'
import { type ArchivedRecord, readArchive, type Whole } from './read.ts'
import type { Source } from './source.ts'

const Counts = z.object({
  store: z.enum(storeNames),
  records: z.int().describe('in the archive'),
  missing: z.int().describe('not there yet: written'),
  equal: z.int().describe('there already, and left alone'),
  different: z.int().describe('there with another content: written with --replace only'),
})

const Named = z.object({ store: z.enum(storeNames), key: z.string() })

/** What `import --json` prints. */
export const Imported = envelope({
  status: z.enum(['imported', 'planned', 'refused']),
  created_at: z.iso.datetime().describe('when the archive was made'),
  sha256: z.string().describe('of all its lines but the last one, unpacked'),
  stores: z.array(Counts).describe('as it was found before the import'),
  different: z.array(Named).describe('the first 100 of them'),
  not_kept: z
    .array(z.object({ store: z.enum(storeNames), reason: z.string() }))
    .describe('what the backend cannot keep'),
  unlike: z.array(Named).describe('the first 100 records that are not there as the archive has them, afterwards'),
})
export type Imported = z.output<typeof Imported>

export interface ReadTools extends NameOptions {
  source: Source
  signal: AbortSignal
  progress: Progress
}

export interface ImportTools extends ReadTools {
  records: Records
}

/** Records of one store, in the order of the archive. */
interface Batch {
  store: StoreName
  records: StoreRecord[]
}

/** A batch ends with so many records, or with about so many characters of text. */
const batchRecords = 1000
const batchText = 8 * 1024 * 1024

const mostNamed = 100

async function* batchesOf(records: AsyncIterable<ArchivedRecord>, signal: AbortSignal): AsyncGenerator<Batch> {
  let batch: Batch | null = null
  let text = 0
  for await (const { store, record } of records) {
    signal.throwIfAborted()
    if (batch && (batch.store !== store || batch.records.length >= batchRecords || text >= batchText)) {
      yield batch
      batch = null
      text = 0
    }
    batch ??= { store, records: [] }
    batch.records.push(record)
    text += textLength(record)
  }
  if (batch) yield batch
}

/** Reads all of it and holds nothing: what is wrong anywhere is found before anything is written. */
export const verifyArchive = async ({ source, progress, signal, ...names }: ReadTools): Promise<Whole> => {
  progress.begin('verifying', null)
  const reading = readArchive(source.chunks(), names, { once: true })
  for (;;) {
    signal.throwIfAborted()
    const next = await reading.next()
    if (next.done) {
      progress.end()
      return next.value
    }
    progress.add(1)
  }
}

interface Split {
  missing: StoreRecord[]
  different: StoreRecord[]
}

const split = async ({ records, signal }: ImportTools, { store, records: given }: Batch): Promise<Split> => {
  const keys = given.map((record) => keyOf(store, record))
  const present = await records.find(store, keys, { signal })
  const there = new Map(present.map((record) => [keyOf(store, record), contentOf(store, record)]))
  const missing = given.filter((record) => !there.has(keyOf(store, record)))
  const isOther = (record: StoreRecord): boolean => {
    const content = there.get(keyOf(store, record))
    return content !== undefined && content !== contentOf(store, record)
  }
  return { missing, different: given.filter(isOther) }
}

type Comparison = Pick<Imported, 'stores' | 'different'> & { missing: Imported['unlike'] }

/** What of an archive is there already, by content. */
export const compareArchive = async (tools: ImportTools, { header, trailer }: Whole): Promise<Comparison> => {
  const { source, progress, signal } = tools
  const counts = new Map(header.stores.map((store) => [store, { missing: 0, different: 0 }]))
  const comparison: Comparison = { stores: [], different: [], missing: [] }
  progress.begin('comparing', trailer.records)
  for await (const batch of batchesOf(readArchive(source.chunks(), tools, { once: false }), signal)) {
    const { store } = batch
    const found = await split(tools, batch)
    const count = counts.get(store)
    if (count) {
      count.missing += found.missing.length
      count.different += found.different.length
    }
    for (const list of ['missing', 'different'] as const)
      for (const record of found[list].slice(0, mostNamed - comparison[list].length))
        comparison[list].push({ store, key: keyOf(store, record) })
    progress.add(batch.records.length)
  }
  progress.end()
  comparison.stores = [...counts].map(([store, { missing, different }]) => {
    const records = trailer.stores[store] ?? 0
    return { store, records, missing, equal: records - missing - different, different }
  })
  return comparison
}

/** Writes what is missing, and what is different where that is wanted. Stopped, it goes on when it is repeated. */
export const writeFromArchive = async (
  tools: ImportTools,
  { trailer }: Whole,
  { replace }: { replace: boolean },
): Promise<number> => {
  const { source, records, progress, signal } = tools
  let written = 0
  progress.begin('importing', trailer.records)
  for await (const batch of batchesOf(readArchive(source.chunks(), tools, { once: false }), signal)) {
    const { missing, different } = await split(tools, batch)
    const wanted = replace ? [...missing, ...different] : missing
    if (wanted.length > 0) await records.write(batch.store, wanted, { signal })
    written += wanted.length
    progress.add(batch.records.length)
  }
  progress.end()
  return written
}
