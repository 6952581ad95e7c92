import { createIds, silentLogger } from '@nexus/core'
import type { Fakes } from '../harness.ts'
import { createFakeClock } from './clock.ts'

/** A fresh set of fakes: a standing clock, ids, a silent logger, and workers that live until they are killed. */
export const createFakes = (): Fakes => {
  const clock = createFakeClock()
  const dead = new Set<string>()
  return {
    clock,
    context: {
      clock,
      ids: createIds(clock),
      logger: silentLogger,
      liveness: (worker) => (dead.has(worker) ? 'dead' : 'alive'),
    },
    kill: (worker) => void dead.add(worker),
  }
}
