import type { Backend, BackendContext } from '@nexus/core'
import { createFakes } from '../fakes/fakes.ts'
import type { Harness } from '../harness.ts'
import { openMemoryBackend } from './backend.ts'
import { createMemoryData, type MemoryData } from './data.ts'
import { createMemoryForeign } from './foreign.ts'

export type OpenMemory = (context: BackendContext, data: MemoryData) => Backend

/** The memory backend, or a variant of it, on empty data. */
export const openMemoryHarness = async (open: OpenMemory = openMemoryBackend): Promise<Harness> => {
  const { clock, context, kill } = createFakes()
  const data = createMemoryData()
  const openings = new Set<Backend>()
  const opened = (): Backend => {
    const backend = open(context, data)
    openings.add(backend)
    return backend
  }
  const closeAll = async () => {
    for (const backend of openings) await backend[Symbol.asyncDispose]()
    openings.clear()
  }
  let backend = opened()
  return {
    get backend() {
      return backend
    },
    clock,
    foreign: createMemoryForeign(data, clock),
    async peer() {
      return opened()
    },
    async reopen() {
      await closeAll()
      backend = opened()
      return backend
    },
    async advance(ms) {
      clock.advance(ms)
    },
    kill,
    [Symbol.asyncDispose]: closeAll,
  }
}
