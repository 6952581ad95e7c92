import {
  type Claim,
  checkName,
  type FailResult,
  type InboxStore,
  type LeaseLost,
  parseInput,
  RetryAt,
  retryDelayMs,
  StorableText,
} from '@nexus/core'
import { beat } from './heartbeat.ts'
import { type HeldName, holderOf, inboxNames, registerKeys } from './inbox-layout.ts'
import { type InboxTools, isHolding } from './inbox-tools.ts'

const leaseLost: LeaseLost = { status: 'lease-lost' }

/** What the holder of a claim may do. Each verb is fenced by the name of the hold in `processing`. [C-INBOX-7] */
export type HolderVerbs = Pick<InboxStore, 'bind' | 'heartbeat' | 'complete' | 'fail' | 'release'>

const readRetryAt = (date: Date | undefined): number | null =>
  parseInput(RetryAt, date, 'time to retry at')?.getTime() ?? null

const createBind = (tools: InboxTools): InboxStore['bind'] => {
  const { reading, atomic, inbox, records, running, places, held } = tools

  const boundNumber = async (hold: HeldName): Promise<string | undefined> =>
    (await reading.read(inbox.boundFile(hold)))?.bytes.toString('utf8')

  return async (claim, { issueNumber }, options) => {
    tools.checkOpen(options)
    checkName('issueNumber', issueNumber)
    const hold = await held(claim)
    const record = hold && (await records.load({ id: hold.id, version: hold.epoch - 1 }))
    if (!record) return leaseLost
    const owner = inboxNames.hold(hold)
    const key = registerKeys.issue(record.project, issueNumber)
    const acquired = await running.acquire(key, owner, (other) => isHolding(places, other))
    if (acquired.status === 'taken') return { status: 'busy' }
    // A resumed hold runs the issue of its record.
    const before = (await boundNumber(hold)) ?? record.issueNumber
    if (before !== null && before !== issueNumber)
      await running.release(registerKeys.issue(record.project, before), owner)
    await atomic.replace(inbox.boundFile(hold), issueNumber)
    // Whoever ends the hold reads the number after the rename that ends it: if the hold is still there, it will be read.
    if (await held(claim)) return { status: 'bound', issueNumber }
    await running.release(key, owner)
    await atomic.remove(inbox.boundFile(hold))
    return leaseLost
  }
}

const createEnds = (tools: InboxTools): Pick<HolderVerbs, 'complete' | 'fail' | 'release'> => {
  const { inbox, reading, records, places, endings, clock, held } = tools

  /** Whether this very claim completed the task before. */
  const isCompleted = async ({ id, epoch, worker }: Claim): Promise<boolean> => {
    const hold = { id, epoch, holder: holderOf(worker) }
    // Of a claim that nobody was given no path is made.
    if (!inboxNames.parseEnded(inboxNames.ended(hold))) return false
    const wanted = inboxNames.hold(hold)
    const ending = (await places.ending()).find((name) => name.kind === 'done' && inboxNames.hold(name) === wanted)
    if (ending) await endings.finish(ending)
    if (ending) return true
    for (const month of await places.months('done'))
      if (await reading.stat(inbox.endedFile('done', month, hold))) return true
    return false
  }

  const endWith = async (claim: Claim, request: Parameters<typeof endings.endHold>[1]): Promise<boolean> => {
    const hold = await held(claim)
    const ending = hold && (await endings.endHold(hold, request))
    if (ending) await endings.finish(ending)
    return ending !== null
  }

  const failed = async (
    claim: Claim,
    error: string,
    retryAt: number | null,
    fatal: boolean,
  ): Promise<FailResult | LeaseLost> => {
    const hold = await held(claim)
    const record = hold && (await records.load({ id: hold.id, version: hold.epoch - 1 }))
    if (!record) return leaseLost
    const attempts = record.attempts + 1
    if (fatal || attempts >= record.maxAttempts) {
      const isOver = await endWith(claim, { kind: 'dead', at: clock.now(), error })
      return isOver ? { status: 'failed', attempts } : leaseLost
    }
    const at = retryAt ?? clock.now() + retryDelayMs(attempts, Math.random())
    const ending = await endings.endHold(hold, { kind: 'fail', at, error })
    if (!ending) return leaseLost
    const isStopped = await endings.finish(ending)
    return isStopped ? { status: 'failed', attempts } : { status: 'retrying', runAt: new Date(at), attempts }
  }

  return {
    async complete(claim, options) {
      tools.checkOpen(options)
      const isDone = (await endWith(claim, { kind: 'done', at: clock.now() })) || (await isCompleted(claim))
      return isDone ? { status: 'done' } : leaseLost
    },
    async fail(claim, error, { retryAt, fatal = false, ...options } = {}) {
      tools.checkOpen(options)
      return failed(claim, parseInput(StorableText, error, 'error'), readRetryAt(retryAt), fatal)
    },
    async release(claim, { retryAt, ...options } = {}) {
      tools.checkOpen(options)
      const at = readRetryAt(retryAt) ?? clock.now()
      return (await endWith(claim, { kind: 'free', at })) ? { status: 'released' } : leaseLost
    },
  }
}

export const createHolderVerbs = (tools: InboxTools): HolderVerbs => {
  const { inbox, reading, records, held } = tools

  const isCancelRequested = async (hold: HeldName): Promise<boolean> => {
    if (await reading.stat(inbox.cancelFile(hold))) return true
    return (await records.load({ id: hold.id, version: hold.epoch - 1 }))?.cancelRequested ?? false
  }

  return {
    bind: createBind(tools),
    ...createEnds(tools),
    async heartbeat(claims, options) {
      tools.checkOpen(options)
      const answer: { lost: Claim[]; cancelRequested: Claim[] } = { lost: [], cancelRequested: [] }
      for (const claim of claims) {
        const hold = await held(claim)
        if (!hold || !(await beat(tools, inbox.heldFile(hold)))) answer.lost.push(claim)
        else if (await isCancelRequested(hold)) answer.cancelRequested.push(claim)
      }
      return answer
    },
  }
}
