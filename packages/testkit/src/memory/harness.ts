import type { Backend, BackendContext } from '@nexus/core'
import type { Harness } from '../harness.ts'
import { openHarness } from '../open-harness.ts'
import { openMemoryBackend } from './backend.ts'
import { createMemoryData, type MemoryData } from './data.ts'
import { createMemoryForeign } from './foreign.ts'

export type OpenMemory = (context: BackendContext, data: MemoryData) => Backend

/** The memory backend, or a variant of it, on empty data. */
export const openMemoryHarness = (open: OpenMemory = openMemoryBackend): Promise<Harness> => {
  const data = createMemoryData()
  return openHarness({
    open: (context) => open(context, data),
    foreign: (clock) => createMemoryForeign(data, clock),
  })
}
