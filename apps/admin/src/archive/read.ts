import {
  type JsonObject,
  parseJson,
  parseRecord,
  type StoreName,
  type StoreRecord,
  type StoreRecords,
} from '@nexus/core'
import type { z } from 'zod'
import {
  createTally,
  Header,
  keyOf,
  RecordLine,
  SealLine,
  sealEvery,
  type Tally,
  type Trailer,
  TrailerLine,
  timeMembers,
} from './format.ts'
import { linesOf, refusal } from './lines.ts'
import { archivedNameProblem, type NameOptions } from './names.ts'
import { createSeen } from './seen.ts'

/** A record of an archive, with the line that it stands on. */
export interface ArchivedRecord {
  store: StoreName
  record: StoreRecord
  line: number
}

export interface Whole {
  header: Header
  trailer: Trailer
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const objectOf = (bytes: Buffer, line: number): JsonObject => {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw refusal(line, 'is not UTF-8 text: this is no archive of Nexus, or it is damaged')
  }
  const parsed = parseJson(text)
  if (!parsed.ok) throw refusal(line, parsed.reason)
  if (typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value))
    throw refusal(line, 'is no JSON object')
  return parsed.value
}

const fit = <S extends z.ZodType>(schema: S, value: JsonObject, line: number): z.output<S> => {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const place = issue?.path.join('.')
  throw refusal(line, `does not fit: ${place ? `${place}: ` : ''}${issue?.message ?? 'unknown'}`)
}

const headerOf = (value: JsonObject): Header => {
  if (value['format'] !== 'nexus-archive') throw refusal(1, 'does not begin an archive of Nexus')
  if (value['version'] !== 1)
    throw refusal(
      1,
      `is of version ${JSON.stringify(value['version'])}, and only 1 is known here: use a newer nexus-admin`,
    )
  return fit(Header, value, 1)
}

const timeOf = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  const date = new Date(value)
  return !Number.isNaN(date.getTime()) && date.toISOString() === value ? date : value
}

const recordOf = <S extends StoreName>(store: S, given: Record<string, unknown>, line: number): StoreRecords[S] => {
  const times: readonly string[] = timeMembers[store]
  const value = Object.fromEntries(
    Object.entries(given).map(([member, one]) => [member, times.includes(member) ? timeOf(one) : one]),
  )
  const parsed = parseRecord(store, value)
  if (!parsed.ok) throw refusal(line, `does not fit: ${parsed.reason}`)
  return parsed.record
}

const checkSeal = (tally: Tally, seal: z.output<typeof SealLine>['seal'], line: number): void => {
  const own = tally.seal()
  if (seal.records !== own.records)
    throw refusal(line, `counts ${seal.records} records, and ${own.records} stand before it`)
  if (seal.sha256 !== own.sha256) throw refusal(line, 'has another checksum than what stands before it: it was changed')
}

const checkTrailer = (tally: Tally, trailer: Trailer, line: number): void => {
  checkSeal(tally, trailer, line)
  const own = tally.counts()
  const names = new Set([...Object.keys(own), ...Object.keys(trailer.stores)])
  const counts = new Map(Object.entries(own))
  const said = new Map(Object.entries(trailer.stores))
  for (const name of names)
    if (counts.get(name) !== said.get(name))
      throw refusal(
        line,
        `counts ${said.get(name) ?? 'no'} records of ${name}, and ${counts.get(name) ?? 'none'} stand before it`,
      )
}

interface Reading {
  tally: Tally
  header: Header
  seen: ReturnType<typeof createSeen> | null
  names: NameOptions
}

const archived = ({ tally, header, seen, names }: Reading, value: JsonObject, line: number): ArchivedRecord => {
  const { store, record: given } = fit(RecordLine, value, line)
  if (!header.stores.includes(store)) throw refusal(line, `is of the store ${store}, which line 1 does not name`)
  const record = recordOf(store, given, line)
  const problem = archivedNameProblem(store, record, names)
  if (problem) throw refusal(line, problem)
  const key = keyOf(store, record)
  if (seen && !seen.add(`${store} ${key}`))
    throw refusal(line, `has the key ${JSON.stringify(key.slice(0, 200))} of ${store} a second time`)
  tally.record(store)
  return { store, record, line }
}

/**
 * Every record of an archive; its header and trailer when it is whole. Throws at the first line that is wrong, with its
 * number. `once`: refuses a key that comes twice, at some 32 bytes of memory for each record.
 */
export async function* readArchive(
  chunks: AsyncIterable<Buffer>,
  names: NameOptions,
  { once }: { once: boolean },
): AsyncGenerator<ArchivedRecord, Whole> {
  let reading: Reading | null = null
  let trailer: Trailer | null = null
  let line = 0
  let unsealed = 0
  for await (const bytes of linesOf(chunks)) {
    line += 1
    if (trailer) throw refusal(line, 'stands behind the end of the archive')
    const value = objectOf(bytes, line)
    if (!reading) {
      const header = headerOf(value)
      reading = { header, names, tally: createTally(header.stores), seen: once ? createSeen() : null }
    } else if ('trailer' in value) {
      trailer = fit(TrailerLine, value, line).trailer
      checkTrailer(reading.tally, trailer, line)
    } else if ('seal' in value) {
      checkSeal(reading.tally, fit(SealLine, value, line).seal, line)
      unsealed = 0
    } else {
      unsealed += 1
      if (unsealed > sealEvery) throw refusal(line, `stands where the checksum of ${sealEvery} records must be`)
      yield archived(reading, value, line)
    }
    reading.tally.line(bytes)
  }
  if (!reading || !trailer) throw refusal(line + 1, 'is missing: the archive ends too early')
  return { header: reading.header, trailer }
}
