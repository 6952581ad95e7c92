import type { BackendContext, CallOptions } from '@nexus/core'
import type { MemoryData } from './data.ts'

/** What every memory store is made of. */
export interface MemoryTools {
  data: MemoryData
  context: BackendContext
  checkOpen(options?: CallOptions): void
}
