import { type CorruptEntry, type DeleteResult, type Rev, StoreError } from '@nexus/core'
import type { StoredDocument } from './documents.ts'
import type { Change, Decision } from './revisions/revisions.ts'

/** A stored record as it reads: itself, or why it cannot be read. */
export type Found<T> = { ok: true; item: T } | { ok: false; corrupt: CorruptEntry }

const corruptError = ({ place, reason, rev }: CorruptEntry): StoreError =>
  new StoreError({ code: 'corrupt', message: `${place} ${reason}.`, place, rev })

/** The readable record, or null; throws `corrupt` for one that cannot be read. */
export const readable = <T>(found: Found<T> | null): T | null => {
  if (found === null) return null
  if (!found.ok) throw corruptError(found.corrupt)
  return found.item
}

const revOf = (found: Found<{ rev: Rev }>): Rev => (found.ok ? found.item.rev : found.corrupt.rev)

/** The refusal of a guarded write, or null where it may be written. Without a rev, unreadable data throws. [C-ALL-9] */
export const refusal = (
  present: Found<{ rev: Rev }> | null,
  ifRev: Rev | null | undefined,
): { status: 'conflict'; current: Rev | null } | null => {
  const current = present && revOf(present)
  if (ifRev !== undefined) return ifRev === current ? null : { status: 'conflict', current }
  readable(present)
  return null
}

/** What a guarded delete does: nothing where a guard stands against it, else the file goes. */
export const decideDelete = async (
  present: Pick<StoredDocument, 'path' | 'stat' | 'rev'> | null,
  ifRev: Rev | undefined,
  before: () => Promise<void>,
  facts?: Change['facts'],
): Promise<Decision<DeleteResult>> => {
  if (present === null) return { answer: { status: 'absent' } }
  if (ifRev !== undefined && ifRev !== present.rev) return { answer: { status: 'conflict', current: present.rev } }
  await before()
  return { answer: { status: 'deleted' }, change: { kind: 'drop', path: present.path, base: present.stat, facts } }
}
