import { type ClaimedTask, type InboxStore, isUnheard, parseInput, ResumeRequest } from '@nexus/core'
import { readClaimed } from './claim.ts'
import type { Holders } from './holders.ts'
import { type EndingName, type HeldName, inboxNames, registerKeys } from './inbox-layout.ts'
import { type InboxTools, isHolding } from './inbox-tools.ts'
import { unlessCorrupt } from './record.ts'
import { createTakeBack } from './take-back.ts'

/** Whether the issue of a task whose holder died is still its own. [C-INBOX-13] */
const createIssues = ({ places, records, endings, running, logger, reading, inbox }: InboxTools) => {
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
    const record = await unlessCorrupt(load, ({ message }) =>
      logger.error('A held task has an unreadable record', { id: held.id, reason: message }),
    )
    const bound = await reading.read(inbox.boundFile(held))
    const issueNumber = bound ? bound.bytes.toString('utf8') : record?.issueNumber
    if (!record || typeof issueNumber !== 'string') return false
    const owner = await running.owner(registerKeys.issue(record.project, issueNumber))
    return owner !== null && owner !== inboxNames.hold(held) && isHolding(places, owner)
  }
  return { takeRunningMark, isIssueBusy }
}

/** [C-INBOX-12] */
export const createResume = (tools: InboxTools, holders: Holders): InboxStore['resume'] => {
  const { places, endings, liveness } = tools
  const { takeRunningMark, isIssueBusy } = createIssues(tools)
  const takeBack = createTakeBack(tools)

  const resumeOne = async (
    { held, isBusy }: { held: HeldName; isBusy: boolean },
    { worker, leaseMs }: ResumeRequest,
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

  const resume = async (request: ResumeRequest): Promise<ClaimedTask[]> => {
    const holder = await holders.write(request.worker)
    const dead: { held: HeldName; isBusy: boolean }[] = []
    for (const held of await places.processing()) {
      const owner = await holders.read(held.holder)
      const isGone =
        owner !== null && (liveness(owner) === 'dead' || isUnheard(request, { id: held.id, worker: owner }))
      if (isGone) dead.push({ held, isBusy: await isIssueBusy(held) })
    }
    const resumed: ClaimedTask[] = []
    for (const one of dead) {
      const task = await resumeOne(one, request, holder)
      if (task) resumed.push(task)
    }
    return resumed
  }

  return async (request, options) => {
    tools.checkOpen(options)
    const given = parseInput(ResumeRequest, request, 'resume request')
    await tools.finishAll()
    return tools.inTurn('claim', () => resume(given))
  }
}
