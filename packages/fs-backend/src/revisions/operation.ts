import type { Stats } from 'node:fs'
import { z } from 'zod'

/** Tells one file from another, and from itself after a change. */
export const stampOf = ({ ino, size, mtimeMs }: Pick<Stats, 'ino' | 'size' | 'mtimeMs'>): string =>
  `${ino}:${size}:${mtimeMs}`

const TaskState = z.enum(['active', 'closed'])

/**
 * What is known of a task file beyond its bytes, from one revision on: it is in `state`, and no longer in `from`. It
 * counts as soon as the revision's token is gone, so bytes and facts change for a reader in one moment.
 */
export const Facts = z.object({
  filename: z.string(),
  state: TaskState.nullable(),
  from: TaskState.nullable(),
  issueNumber: z.string().nullable(),
  createdAt: z.number(),
  token: z.string().default(''),
})
export type Facts = z.output<typeof Facts>
export type NewFacts = z.input<typeof Facts>

/** Facts and the folder they are written into, relative to the root. */
const PlacedFacts = z.object({ folder: z.string(), facts: Facts })

/** One change of a record's files. Paths are relative to the root. */
export const Operation = z.discriminatedUnion('kind', [
  /** Bytes that lie staged become the file. `base` is the stamp of what they replace. */
  z.object({
    kind: z.literal('put'),
    path: z.string(),
    base: z.string().nullable(),
    facts: PlacedFacts.optional(),
  }),
  z.object({ kind: z.literal('drop'), path: z.string(), base: z.string(), facts: PlacedFacts.optional() }),
  /** The file goes to the first of the names that is free in both folders. */
  z.object({
    kind: z.literal('move'),
    path: z.string(),
    folder: z.string(),
    filename: z.string(),
    base: z.string(),
    project: z.string(),
    facts: PlacedFacts.optional(),
  }),
])
export type Operation = z.infer<typeof Operation>
export type Put = Operation & { kind: 'put' }
export type Drop = Operation & { kind: 'drop' }
export type Move = Operation & { kind: 'move' }

/** What a revision's file holds: the operation, and the name of the token that says it is still to be done. */
export const Revision = z.object({ token: z.string(), operation: Operation })
export type Revision = z.infer<typeof Revision>
