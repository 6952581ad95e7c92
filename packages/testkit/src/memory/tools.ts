import type { BackendContext, CallOptions, CorruptEntry, JsonValue, Page, PageRequest, Rev } from '@nexus/core'
import { encodeCursor, pageLimit, StoreError } from '@nexus/core'
import type { MemoryData } from './data.ts'

/** What every memory store is made of. */
export interface MemoryTools {
  data: MemoryData
  context: BackendContext
  checkOpen(options?: CallOptions): void
}

/** A stored record as it reads: itself, or why it cannot be read. */
export type Reading<T> = { ok: true; item: T } | { ok: false; corrupt: CorruptEntry }

const corruptError = ({ place, reason, rev }: CorruptEntry): StoreError =>
  new StoreError({ code: 'corrupt', message: `${place} ${reason}.`, place, rev })

/** The readable record, or null; throws `corrupt` for one that cannot be read. */
export const readable = <T>(reading: Reading<T> | null): T | null => {
  if (reading === null) return null
  if (!reading.ok) throw corruptError(reading.corrupt)
  return reading.item
}

const revOf = (reading: Reading<{ rev: Rev }>): Rev => (reading.ok ? reading.item.rev : reading.corrupt.rev)

/**
 * The refusal of a guarded write, or null where it may be written. Without a rev, unreadable data is not written over:
 * it throws `corrupt`. [C-ALL-4, C-ALL-9]
 */
export const refusal = (
  present: Reading<{ rev: Rev }> | null,
  ifRev: Rev | null | undefined,
): { status: 'conflict'; current: Rev | null } | null => {
  const current = present && revOf(present)
  if (ifRev !== undefined) return ifRev === current ? null : { status: 'conflict', current }
  readable(present)
  return null
}

/** What a guarded delete finds in its way, or null where it may delete. */
export const deleteRefusal = (
  present: Reading<{ rev: Rev }> | null,
  ifRev: Rev | undefined,
): { status: 'absent' } | { status: 'conflict'; current: Rev } | null => {
  if (present === null) return { status: 'absent' }
  const current = revOf(present)
  return ifRev === undefined || ifRev === current ? null : { status: 'conflict', current }
}

/** One page of rows that are sorted and come after the cursor already. */
export const makePage = <R, T>(
  rows: readonly R[],
  request: PageRequest,
  { read, key }: { read(row: R): Reading<T>; key(row: R): JsonValue[] },
): Page<T> => {
  const shown = rows.slice(0, pageLimit(request))
  const page: Page<T> = { items: [], corrupt: [], cursor: null }
  for (const row of shown) {
    const reading = read(row)
    if (reading.ok) page.items.push(reading.item)
    else page.corrupt.push(reading.corrupt)
  }
  const last = shown.at(-1)
  if (last !== undefined && rows.length > shown.length) page.cursor = encodeCursor(key(last))
  return page
}

/** Byte order of the UTF-8 form, which differs from JavaScript's for characters beyond U+FFFF. */
export const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
