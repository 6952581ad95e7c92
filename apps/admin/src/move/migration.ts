import { backendNames, storeNames } from '@nexus/core'
import { z } from 'zod'

const Time = z.iso.datetime()

/** A store as a whole, on one side. */
const Measured = z.object({
  records: z.int(),
  /** Sum of the sha256 of its records, which tells nothing of their order. */
  sha256: z.string(),
})

const Moved = Measured.extend({
  store: z.enum(storeNames),
  /** Unreadable records, which stayed where they were. */
  left: z.int(),
})

const PassOf = z.object({
  store: z.enum(storeNames),
  /** `copy`: while hosts were at work; `last`: with both sides closed. */
  kind: z.enum(['copy', 'last']),
  read: z.int(),
  written: z.int(),
  removed: z.int(),
  seconds: z.number(),
})

/**
 * A move of stores, as its file tells it: what to go on with after a crash, and its receipt in the end. `copying`: the source is
 * at home, the target closed. `closing`: the source is being closed too, or is, until both are equal. `moved`: the target is at
 * home, the source closed and kept. `finished`: the source's copy is gone. `undone`: the source is at home again.
 */
export const Migration = z.object({
  version: z.literal(1),
  id: z.string(),
  from: z.enum(backendNames),
  to: z.enum(backendNames),
  stores: z.array(z.enum(storeNames)),
  /** The database and the root that it is between, by their identities: the same command may mean others later. */
  places: z.object({ from: z.string(), to: z.string() }),
  /** Whether unreadable records may stay where they are. */
  leave_corrupt: z.boolean(),
  phase: z.enum(['copying', 'closing', 'moved', 'finished', 'undone']),
  /** The move that this one takes back. */
  undoes: z.string().nullable(),
  started_at: Time,
  /** When the source was closed. */
  closed_at: Time.nullable(),
  moved_at: Time.nullable(),
  ended_at: Time.nullable(),
  passes: z.array(PassOf),
  /** What both sides held when they were found equal; null until then. */
  verified: z.array(Moved).nullable(),
})
export type Migration = z.output<typeof Migration>
export type MigrationPass = z.output<typeof PassOf>

/** Whether it is under way: it must be gone on with, or taken back, before another one may begin. */
export const isOpen = ({ phase }: Migration): boolean => phase === 'copying' || phase === 'closing'

/** Whether nothing of it is left to be done: what it has closed stays closed, or is open for good. */
export const isOver = ({ phase }: Migration): boolean => phase === 'finished' || phase === 'undone'

export type Direction = Pick<Migration, 'from' | 'to' | 'stores'>

export const isSameMove = (one: Direction, other: Direction): boolean =>
  one.from === other.from && one.to === other.to && [...one.stores].sort().join() === [...other.stores].sort().join()

/** The options that name a move on the command line. */
export const moveOptions = ({ from, to, stores }: Direction): string =>
  `--from ${from} --to ${to} --store ${stores.length === storeNames.length ? 'all' : stores.join(',')}`
