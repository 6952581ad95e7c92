import {
  type CallOptions,
  type ClaimedTask,
  type InboxStore,
  Lease,
  maxRecoveries,
  parseInput,
  type StoreError,
} from '@nexus/core'
import { readClaimed } from './claim.ts'
import { createCleanUp } from './clean-up.ts'
import type { Holders } from './holders.ts'
import { type EndingName, type HeldName, inboxNames, registerKeys } from './inbox-layout.ts'
import { type InboxTools, isHolding } from './inbox-tools.ts'
import { unlessCorrupt } from './record.ts'

interface Observation {
  modified: number
  /** Monotonic time of this opening when it first saw the file like this. */
  since: number
}

/** Taking tasks back from holders that are gone. [C-INBOX-11, C-INBOX-12] */
export type RecoveryVerbs = Pick<InboxStore, 'sweep' | 'resume'>

const createStaleness = ({ reading, clock, places, inbox }: InboxTools) => {
  const seen = new Map<string, Observation>()

  const isStale = async (held: HeldName): Promise<boolean> => {
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

export const createRecoveryVerbs = (
  tools: InboxTools,
  holders: Holders,
  promote: () => Promise<void>,
): RecoveryVerbs => {
  const { clock, places, records, endings, running, liveness, logger, reading, inbox } = tools
  const staleHolds = createStaleness(tools)
  const cleanUp = createCleanUp(tools)

  const onCorrupt = (id: string) => (error: StoreError) =>
    logger.error('A held task has an unreadable record', { id, reason: error.message })

  /** Takes the task from its holder. Null where that has ended its hold itself. */
  const takeBack = (held: HeldName): Promise<EndingName | null> =>
    unlessCorrupt(async () => {
      const record = await records.load({ id: held.id, version: held.epoch - 1 })
      if (!record) {
        logger.error('A held task has lost its record', { id: held.id })
        return null
      }
      const kind = record.recoveries >= maxRecoveries ? 'loop' : 'swept'
      return endings.endHold(held, { kind, at: clock.now() })
    }, onCorrupt(held.id))

  /** The issue of a task whose holder died may be running under another task by now. */
  const takeRunningMark = async (ending: EndingName, next: HeldName): Promise<boolean> => {
    const record = await endings.settle(ending)
    if (!record) return false
    if (record.issueNumber === null) return true
    const key = registerKeys.issue(record.project, record.issueNumber)
    const before = inboxNames.hold(ending)
    const isOtherLive = async (owner: string): Promise<boolean> => owner !== before && isHolding(places, owner)
    return (await running.acquire(key, inboxNames.hold(next), isOtherLive)).status === 'acquired'
  }

  /** Another hold runs its issue, be it one that ends in this very call. */
  const isIssueBusy = async (held: HeldName): Promise<boolean> => {
    const load = () => records.load({ id: held.id, version: held.epoch - 1 })
    const record = await unlessCorrupt(load, onCorrupt(held.id))
    const bound = await reading.read(inbox.boundFile(held))
    const issueNumber = bound ? bound.bytes.toString('utf8') : record?.issueNumber
    if (!record || typeof issueNumber !== 'string') return false
    const owner = await running.owner(registerKeys.issue(record.project, issueNumber))
    return owner !== null && owner !== inboxNames.hold(held) && isHolding(places, owner)
  }

  const resumeOne = async (
    { held, isBusy }: { held: HeldName; isBusy: boolean },
    { worker, leaseMs }: Lease,
    holder: string,
  ): Promise<ClaimedTask | null> => {
    const ending = await takeBack(held)
    if (!ending) return null
    const next = { id: held.id, epoch: held.epoch + 1, holder, leaseMs }
    const isOver = ending.kind === 'loop' || (await endings.settle(ending))?.cancelRequested
    if (isOver || isBusy || !(await takeRunningMark(ending, next))) {
      await endings.finish(ending)
      return null
    }
    // Where somebody else finished it meanwhile it is pending, and the mark is one whose owner does not live.
    return (await endings.handOver(ending, next)) ? readClaimed(tools, next, worker) : null
  }

  const resume = async (lease: Lease): Promise<ClaimedTask[]> => {
    const holder = await holders.write(lease.worker)
    const dead: { held: HeldName; isBusy: boolean }[] = []
    for (const held of await places.processing()) {
      const owner = await holders.read(held.holder)
      if (owner !== null && liveness(owner) === 'dead') dead.push({ held, isBusy: await isIssueBusy(held) })
    }
    const resumed: ClaimedTask[] = []
    for (const one of dead) {
      const task = await resumeOne(one, lease, holder)
      if (task) resumed.push(task)
    }
    return resumed
  }

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

  return {
    async sweep(options?: CallOptions) {
      tools.checkOpen(options)
      return tools.inTurn('sweep', sweep)
    },
    async resume(request, options) {
      tools.checkOpen(options)
      const lease = parseInput(Lease, request, 'resume request')
      await tools.finishAll()
      return tools.inTurn('claim', () => resume(lease))
    },
  }
}
