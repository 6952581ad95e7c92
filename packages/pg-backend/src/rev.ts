import type { Rev } from '@nexus/core'

/**
 * SQL for the rev of a row: a hash of what a program can mean by its content. The text of a ROW quotes its fields and
 * tells null from empty, so two different rows never have the same text. [C-ALL-4]
 */
export const revOf = (alias: string, columns: readonly string[]): string =>
  `encode(sha256(convert_to(ROW(${columns.map((column) => `${alias}.${column}`).join(', ')})::text, 'UTF8')), 'hex')`

const mark = 'unreadable-'

/**
 * The rev of data that cannot be read says so: whoever saves with it is known to replace unreadable data, and only then
 * is a copy kept. Readable data needs no look on the way. [C-ALL-9]
 */
export const unreadableRev = (hash: string): Rev => `${mark}${hash}`

export const isUnreadableRev = (rev: Rev): boolean => rev.startsWith(mark)

/** The hash that the row must have. */
export const hashOf = (rev: Rev): string => (isUnreadableRev(rev) ? rev.slice(mark.length) : rev)
