import type { CallOptions, Clock, Ids, Liveness } from '@nexus/core'
import type { MemoryInboxData } from './inbox-data.ts'

export interface MemoryInboxTools {
  /** Shared by all openings of the same memory backend. */
  data: MemoryInboxData
  clock: Clock
  ids: Ids
  liveness: Liveness
  /** Throws when this opening is closed or the call's signal is aborted. */
  checkOpen(options?: CallOptions): void
  /** Jitter of retries, in [0, 1). */
  random(): number
}
