import type { Backend, BackendContext, Clock } from '@nexus/core'
import type { FakeClock } from './fakes/clock.ts'
import { createFakes } from './fakes/fakes.ts'
import type { ForeignProgram, Harness } from './harness.ts'

/** What differs between the harnesses of two technologies. */
export interface HarnessParts {
  /** Opens the same data once more. */
  open(context: BackendContext): Backend | Promise<Backend>
  foreign(clock: Clock): ForeignProgram
  /** Where the technology has a clock of its own. Otherwise it is enough that the fake one is advanced. */
  advance?(ms: number, clock: FakeClock): Promise<void>
  /** Takes the data away, after every opening is closed. */
  remove?(): Promise<void>
}

/** A harness over these parts: it keeps count of the openings, so that none outlives it. */
export const openHarness = async ({ open, foreign, advance, remove }: HarnessParts): Promise<Harness> => {
  const { clock, context, kill } = createFakes()
  const openings = new Set<Backend>()
  const opened = async (): Promise<Backend> => {
    const backend = await open(context)
    openings.add(backend)
    return backend
  }
  const closeAll = async (): Promise<void> => {
    for (const backend of openings) await backend[Symbol.asyncDispose]()
    openings.clear()
  }
  let backend = await opened()
  return {
    get backend() {
      return backend
    },
    clock,
    foreign: foreign(clock),
    peer: opened,
    async reopen() {
      await closeAll()
      backend = await opened()
      return backend
    },
    async advance(ms) {
      if (advance) await advance(ms, clock)
      else clock.advance(ms)
    },
    kill,
    async [Symbol.asyncDispose]() {
      await closeAll()
      await remove?.()
    },
  }
}
