import type { CorruptEntry } from '@nexus/core'
import { z } from 'zod'
import { say } from './output.ts'

/** A record that is there and cannot be read. */
export const CorruptRow = z.object({ name: z.string(), place: z.string(), reason: z.string() })

export const PageCursor = z.string().nullable().describe('--cursor of the next page; null on the last one')

export const corruptRows = ({ corrupt }: { corrupt: readonly CorruptEntry[] }): z.output<typeof CorruptRow>[] =>
  corrupt.map(({ name, place, reason }) => ({ name, place, reason }))

export interface Paging {
  limit: number
  cursor?: string
}

/** Tells a person that there is more, and how to see it. */
export const sayMore = ({ cursor }: { cursor: string | null }, { json = false }: { json?: boolean }): void => {
  if (cursor !== null && !json) say(`There are more: add --cursor ${cursor}`)
}
