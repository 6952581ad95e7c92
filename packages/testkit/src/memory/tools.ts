import type { BackendContext, CallOptions, Reading, Rev } from '@nexus/core'
import { readingRev } from '@nexus/core'
import type { MemoryData } from './data.ts'

/** What every memory store is made of. */
export interface MemoryTools {
  data: MemoryData
  context: BackendContext
  checkOpen(options?: CallOptions): void
}

/** What a guarded delete finds in its way, or null where it may delete. */
export const deleteRefusal = (
  present: Reading<{ rev: Rev }> | null,
  ifRev: Rev | undefined,
): { status: 'absent' } | { status: 'conflict'; current: Rev } | null => {
  if (present === null) return { status: 'absent' }
  const current = readingRev(present)
  return ifRev === undefined || ifRev === current ? null : { status: 'conflict', current }
}
