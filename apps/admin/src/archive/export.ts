import { once } from 'node:events'
import { PassThrough, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type CorruptEntry, type Records, type StoreName, storeNames } from '@nexus/core'
import { errorCode } from '@nexus/host/moving'
import { z } from 'zod'
import { CommandError, exit } from '../cli/exit.ts'
import { envelope, say } from '../cli/output.ts'
import { recordPages } from '../move/pages.ts'
import type { Progress } from '../move/progress.ts'
import { createTally, type Header, keyOf, maxLineBytes, sealEvery, type Trailer } from './format.ts'

/** What `export --json` prints. */
export const Exported = envelope({
  file: z.string(),
  records: z.int(),
  stores: z.partialRecord(z.enum(storeNames), z.int()),
  corrupt: z.int().describe('unreadable records that were left out'),
  sha256: z.string().describe('of all lines but the last one, unpacked'),
})

export interface ExportOptions {
  stores: readonly StoreName[]
  createdAt: Date
  signal: AbortSignal
  progress: Progress
  /** Hears of every record that cannot be read. */
  onCorrupt(store: StoreName, entry: CorruptEntry): void
  /** Throws where the archive must not be ended. */
  beforeEnd(): void
}

/** Where an archive goes, as text. A failure of what is beneath is thrown by the next call. */
export interface Output {
  write(text: string): Promise<void>
  /** All of it was taken when resolved. */
  end(): Promise<void>
}

const createWriter = (stream: Writable): Output['write'] => {
  let failure: Error | null = null
  stream.on('error', (error) => {
    failure ??= error
  })
  return async (text) => {
    if (failure) throw failure
    if (!stream.write(text)) await once(stream, 'drain')
  }
}

/** Into a file, packed or not; its stream ends with the archive. */
export const fileOutput = (file: Writable, { packed }: { packed: boolean }): Output => {
  const first = packed ? createGzip() : new PassThrough()
  const piped = pipeline(first, file)
  // Whoever writes hears of it first; nobody waits for the end then.
  piped.catch(() => undefined)
  return {
    write: createWriter(first),
    async end() {
      first.end()
      await piped
    },
  }
}

/** To standard output, which others may go on to use. */
export const standardOutput = (): Output => {
  // A list may be cut by its reader, an archive may not.
  process.stdout.prependListener('error', (error) => {
    if (errorCode(error) !== 'EPIPE') return
    say('The reader of standard output is gone: the archive is cut, and cannot be imported.')
    process.exit(exit.failed)
  })
  return {
    write: createWriter(process.stdout),
    end: () => new Promise((resolve) => process.stdout.write('', () => resolve())),
  }
}

/** One record is the same line whatever backend it comes from. */
const inOrder = (record: object): object =>
  Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)))

/**
 * Writes all records of these stores as an archive, page by page. It is no snapshot: what others change meanwhile may be in
 * it or not. Stopped or failed, the archive has no last line and cannot be imported.
 */
export const writeArchive = async (
  records: Records,
  output: Output,
  { stores, createdAt, signal, progress, onCorrupt, beforeEnd }: ExportOptions,
): Promise<Trailer> => {
  const tally = createTally(stores)
  const put = async (value: object): Promise<void> => {
    const line = `${JSON.stringify(value)}\n`
    tally.line(line)
    await output.write(line)
  }
  const putRecord = async (store: StoreName, key: string, record: object): Promise<void> => {
    const line = `${JSON.stringify({ store, record: inOrder(record) })}\n`
    if (line.length * 3 > maxLineBytes && Buffer.byteLength(line) > maxLineBytes)
      throw new CommandError(
        'failed',
        `The record ${key} of ${store} takes more than the ${maxLineBytes} bytes of a line.`,
      )
    tally.line(line)
    tally.record(store)
    await output.write(line)
    if (tally.records % sealEvery === 0) await put({ seal: tally.seal() })
  }
  const header: Header = {
    format: 'nexus-archive',
    version: 1,
    createdAt: createdAt.toISOString(),
    stores: [...stores],
  }
  await put(header)
  for (const store of stores) {
    progress.begin(`exporting ${store}`, null)
    for await (const { items, corrupt } of recordPages(records, store, signal)) {
      for (const entry of corrupt) onCorrupt(store, entry)
      for (const record of items) await putRecord(store, keyOf(store, record), record)
      progress.add(items.length)
    }
    progress.end()
  }
  beforeEnd()
  const trailer = { ...tally.seal(), stores: tally.counts() }
  await put({ trailer })
  await output.end()
  return trailer
}
