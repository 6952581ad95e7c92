import { createHash, type Hash } from 'node:crypto'
import { type JsonObject, recordKey, type StoreName, type StoreRecords, storeNames } from '@nexus/core'
import { z } from 'zod'

/** So many records stand between two checksums. */
export const sealEvery = 1_000

/** The longest line that is written or read, in bytes: four times the longest text, since JSON escapes some characters. */
export const maxLineBytes = 64 * 1024 * 1024

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const Store = z.enum(storeNames)
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const isOnce = (stores: readonly StoreName[]): boolean => new Set(stores).size === stores.length

/** The first line. A reader knows its own version and no other. */
export const Header = z.strictObject({
  format: z.literal('nexus-archive'),
  version: z.literal(1),
  createdAt: z.iso.datetime(),
  stores: z.array(Store).min(1).refine(isOnce, 'names a store twice'),
})
export type Header = z.output<typeof Header>

/** One record: its members as the stores name them, times in ISO 8601, documents as the JSON text they are. */
export const RecordLine = z.strictObject({ store: Store, record: z.custom<JsonObject>(isObject, 'is not an object') })

/** How many records came before it, and the sha256 of every byte before it. */
const Seal = z.strictObject({ records: z.int().min(0), sha256: Sha256 })
export const SealLine = z.strictObject({ seal: Seal })

/** The last line: records of each store of the header, and the sha256 of every byte before it. */
const Trailer = Seal.extend({ stores: z.partialRecord(Store, z.int().min(0)) })
export type Trailer = z.output<typeof Trailer>
export const TrailerLine = z.strictObject({ trailer: Trailer })

/** Members that are times. */
export const timeMembers = {
  workflows: ['createdAt', 'updatedAt'],
  completions: ['createdAt', 'savedAt'],
  hostState: ['updatedAt'],
  taskFiles: ['createdAt', 'updatedAt'],
  inbox: ['runAt', 'createdAt', 'processedAt'],
} as const satisfies { readonly [S in StoreName]: readonly (keyof StoreRecords[S])[] }

/** What names a record of this store. */
export const keyOf = <S extends StoreName>(store: S, record: StoreRecords[S]): string => recordKey[store](record)

/** What has gone by so far: of a writer and a reader alike. */
export const createTally = (stores: readonly StoreName[]) => {
  const hash: Hash = createHash('sha256')
  const counts = new Map(stores.map((store) => [store, 0]))
  let records = 0
  return {
    /** A whole line, its end included. */
    line: (bytes: Uint8Array | string): void => void hash.update(bytes),
    record(store: StoreName): void {
      records += 1
      counts.set(store, (counts.get(store) ?? 0) + 1)
    },
    seal: (): z.output<typeof Seal> => ({ records, sha256: hash.copy().digest('hex') }),
    counts: (): Trailer['stores'] => Object.fromEntries(counts),
    get records() {
      return records
    },
  }
}
export type Tally = ReturnType<typeof createTally>
