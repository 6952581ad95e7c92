import type { Stats } from 'node:fs'
import { z } from 'zod'

/** Tells one file from another, and from itself after a change. */
export const stampOf = ({ ino, size, mtimeMs }: Pick<Stats, 'ino' | 'size' | 'mtimeMs'>): string =>
  `${ino}:${size}:${mtimeMs}`

/**
 * What is known of a file beyond its bytes. While the new bytes are not in their place the old facts hold: `former` does,
 * until the file is the one with that inode.
 */
export const Facts = z.object({
  filename: z.string(),
  issueNumber: z.string().nullable(),
  createdAt: z.number(),
  former: z.object({ issueNumber: z.string().nullable(), inode: z.number().optional() }).optional(),
})
export type Facts = z.infer<typeof Facts>

/** One change of a record's files. Paths are relative to the root. */
export const Operation = z.discriminatedUnion('kind', [
  /** Bytes that lie staged become the file. `base` is the stamp of what they replace. */
  z.object({
    kind: z.literal('put'),
    path: z.string(),
    base: z.string().nullable(),
    sidecar: z.object({ path: z.string(), facts: Facts }).optional(),
  }),
  z.object({ kind: z.literal('drop'), path: z.string(), base: z.string(), sidecar: z.string().optional() }),
  /** The file goes to the first of the names that is free in both folders, its facts with it. */
  z.object({
    kind: z.literal('move'),
    path: z.string(),
    folder: z.string(),
    filename: z.string(),
    base: z.string(),
    project: z.string(),
    state: z.enum(['active', 'closed']),
    facts: Facts.nullable(),
  }),
])
export type Operation = z.infer<typeof Operation>
export type Put = Operation & { kind: 'put' }
export type Drop = Operation & { kind: 'drop' }
export type Move = Operation & { kind: 'move' }

/** What a revision's file holds: the operation, and the name of the token that says it is still to be done. */
export const Revision = z.object({ token: z.string(), operation: Operation })
export type Revision = z.infer<typeof Revision>
