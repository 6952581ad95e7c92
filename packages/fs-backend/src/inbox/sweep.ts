import type { InboxStore } from '@nexus/core'
import { createCleanUp } from './clean-up.ts'
import { type HeldName, inboxNames, noHolder } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import { createTakeBack } from './take-back.ts'

interface Observation {
  modified: number
  /** Monotonic time of this opening when it first saw the file like this. */
  since: number
}

const createStaleness = ({ reading, clock, places, inbox }: InboxTools) => {
  const seen = new Map<string, Observation>()

  const isStale = async (held: HeldName): Promise<boolean> => {
    // A claim that no lease of ours watches.
    if (held.holder === noHolder) return false
    const name = inboxNames.held(held)
    const modified = (await reading.stat(inbox.heldFile(held)))?.mtimeMs
    if (modified === undefined) return false
    const before = seen.get(name)
    if (before?.modified === modified) return clock.monotonic() - before.since >= held.leaseMs
    seen.set(name, { modified, since: clock.monotonic() })
    return false
  }

  return async (): Promise<HeldName[]> => {
    const present = await places.processing()
    const names = new Set(present.map(inboxNames.held))
    for (const name of seen.keys()) if (!names.has(name)) seen.delete(name)
    const stale: HeldName[] = []
    for (const held of present) if (await isStale(held)) stale.push(held)
    return stale
  }
}

/** [C-INBOX-11] */
export const createSweep = (tools: InboxTools, promote: () => Promise<void>): InboxStore['sweep'] => {
  const { endings } = tools
  const staleHolds = createStaleness(tools)
  const takeBack = createTakeBack(tools)
  const cleanUp = createCleanUp(tools)

  const sweep = async (): Promise<{ freed: string[]; failed: string[] }> => {
    const answer: { freed: string[]; failed: string[] } = { freed: [], failed: [] }
    await tools.finishAll()
    for (const held of await staleHolds()) {
      const ending = await takeBack(held)
      if (!ending) continue
      const isStopped = await endings.finish(ending)
      answer[isStopped || ending.kind === 'loop' ? 'failed' : 'freed'].push(held.id)
    }
    await promote()
    await cleanUp()
    return answer
  }

  return async (options) => {
    tools.checkOpen(options)
    return tools.inTurn('sweep', sweep)
  }
}
