import fc from 'fast-check'
import { answer } from './answer.ts'
import { halfMinute } from './inbox-queue.ts'
import { killWorker } from './inbox-tasks.ts'
import { operation } from './operation.ts'

/** What happens to all stores: every opening closes and comes back, time passes, a worker dies. */
export const surroundings = [
  operation('reopen', fc.constant({}), async (side) => {
    await side.reopen()
    return answer('reopened')
  }),
  operation('advance', fc.record({ minutes: fc.constantFrom(1, 2) }), async (side, { minutes }) => {
    await side.harness.advance(minutes * 2 * halfMinute)
    return answer('advanced')
  }),
  operation('kill', fc.record({ worker: fc.nat(2) }), async (side, { worker }) => {
    killWorker(side, worker)
    return answer('killed')
  }),
]
