import type { Claim } from '@nexus/core'
import { createHolderVerbs as real } from '../../src/inbox/holder.ts'
import type { EndKind } from '../../src/inbox/inbox-layout.ts'

/** Ends the task, whoever holds it, and is content where nobody does. */
export const createHolderVerbs: typeof real = (tools) => {
  const end = async ({ id }: Claim, kind: EndKind): Promise<void> => {
    const hold = (await tools.places.processing()).find((held) => held.id === id)
    const ending = hold && (await tools.endings.endHold(hold, { kind, at: tools.clock.now() }))
    if (ending) await tools.endings.finish(ending)
  }
  return {
    ...real(tools),
    async complete(claim) {
      await end(claim, 'done')
      return { status: 'done' }
    },
    async release(claim) {
      await end(claim, 'free')
      return { status: 'released' }
    },
  }
}
