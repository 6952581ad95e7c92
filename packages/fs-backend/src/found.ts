import type { DeleteResult, Rev } from '@nexus/core'
import type { StoredDocument } from './documents.ts'
import type { Change, Decision } from './revisions/revisions.ts'

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
