import fc from 'fast-check'
import { answer } from './answer.ts'
import { halfStep } from './inbox-queue.ts'
import { killWorker } from './inbox-tasks.ts'
import { anyActor, operation } from './operation.ts'

const anyWorker = fc.nat(2)

/** What happens to all stores: every opening closes and comes back, a process dies with its worker, time passes. */
export const surroundings = [
  operation({
    verb: 'reopen',
    weight: 8,
    input: fc.constant({}),
    async run(side) {
      await side.reopen()
      return answer('reopened')
    },
  }),
  operation({
    verb: 'crash',
    weight: 8,
    input: fc.record({ actor: anyActor, worker: anyWorker }),
    async run(side, { actor, worker }) {
      killWorker(side, worker)
      await side.crash(actor)
      return answer('crashed')
    },
  }),
  operation({
    verb: 'advance',
    weight: 20,
    input: fc.record({ steps: fc.constantFrom(1, 2) }),
    async run(side, { steps }) {
      await side.harness.advance(steps * 2 * halfStep)
      return answer('advanced')
    },
  }),
  operation({
    verb: 'kill',
    weight: 20,
    input: fc.record({ worker: anyWorker }),
    async run(side, { worker }) {
      killWorker(side, worker)
      return answer('killed')
    },
  }),
]
