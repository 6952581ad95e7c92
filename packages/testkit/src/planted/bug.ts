import type { Backend, BackendContext, Stores } from '@nexus/core'
import { openMemoryBackend } from '../memory/backend.ts'
import type { MemoryData } from '../memory/data.ts'
import type { OpenMemory } from '../memory/harness.ts'

/** A variant of the memory backend that breaks one clause: a suite that passes it proves nothing about that clause. */
export interface PlantedBug {
  /** What is wrong with it. */
  name: string
  /** The clause it breaks; a test of that clause must fail. */
  clause: string
  /** Called once per harness: what the opening closes over is shared by peers and outlives a reopening. */
  plant(): OpenMemory
}

export interface Soil<S> {
  /** The intact store. */
  intact: S
  /** The rows beneath all openings. */
  data: MemoryData
  context: BackendContext
}

/** Replaces verbs of one store. */
export const plantIn =
  <N extends keyof Stores>(store: N) =>
  (clause: string, name: string, change: (soil: Soil<Stores[N]>) => Partial<Stores[N]>): PlantedBug => ({
    name: `${store}: ${name}`,
    clause,
    plant: () => (context, data) => {
      const backend = openMemoryBackend(context, data)
      const intact = backend[store]
      return { ...backend, [store]: { ...intact, ...change({ intact, data, context }) } }
    },
  })

/** Opens the intact backend in a context that lies. */
export const plantContext = (
  clause: string,
  name: string,
  change: (context: BackendContext) => Partial<BackendContext>,
): PlantedBug => ({
  name,
  clause,
  plant: () => (context, data) => openMemoryBackend({ ...context, ...change(context) }, data),
})

/** Changes the whole opening. */
export const plantBackend = (
  clause: string,
  name: string,
  change: (backend: Backend, data: MemoryData) => Partial<Backend>,
): PlantedBug => ({
  name,
  clause,
  plant: () => (context, data) => {
    const backend = openMemoryBackend(context, data)
    return { ...backend, ...change(backend, data) }
  },
})
