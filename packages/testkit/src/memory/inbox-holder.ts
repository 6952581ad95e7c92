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
import { giveBack, heldRow, letGo, makeFailed } from './inbox-data.ts'
import type { MemoryInboxTools } from './inbox-tools.ts'

const leaseLost: LeaseLost = { status: 'lease-lost' }

/** The two ways in which a holder ends its task. */
const createEndings = ({ data, clock, random }: MemoryInboxTools) => {
  const failRow = (claim: Claim, error: string, retryAt: Date | undefined, fatal: boolean): FailResult | LeaseLost => {
    const row = heldRow(data, claim)
    if (!row) return leaseLost
    row.attempts += 1
    if (fatal || row.attempts >= row.maxAttempts) {
      makeFailed(row, error, clock.now())
      return { status: 'failed', attempts: row.attempts }
    }
    row.error = error
    const runAt = retryAt?.getTime() ?? clock.now() + retryDelayMs(row.attempts, random())
    if (!giveBack(data, row, { runAt, now: clock.now() })) return { status: 'failed', attempts: row.attempts }
    return { status: 'retrying', runAt: new Date(row.runAt), attempts: row.attempts }
  }

  const completeRow = (claim: Claim): { status: 'done' } | LeaseLost => {
    const row = heldRow(data, claim)
    if (row) {
      letGo(row, 'done')
      row.processedAt = clock.now()
      return { status: 'done' }
    }
    const ended = data.rows.get(claim.id)
    const byThisClaim = ended?.status === 'done' && ended.epoch === claim.epoch && ended.lastHolder === claim.worker
    return byThisClaim ? { status: 'done' } : leaseLost
  }

  return { failRow, completeRow }
}

/** What the holder of a claim may do; each verb is fenced by the claim's epoch. [C-INBOX-7] */
export type HolderVerbs = Pick<InboxStore, 'bind' | 'heartbeat' | 'complete' | 'fail' | 'release'>

export const createHolderVerbs = (tools: MemoryInboxTools): HolderVerbs => {
  const { data, clock, checkOpen } = tools
  const { failRow, completeRow } = createEndings(tools)
  const isRunningElsewhere = (project: string, issueNumber: string, id: string): boolean =>
    [...data.rows.values()].some(
      (row) => row.running && row.project === project && row.issueNumber === issueNumber && row.id !== id,
    )

  return {
    async bind(claim, { issueNumber }, options) {
      checkOpen(options)
      checkName('issueNumber', issueNumber)
      const row = heldRow(data, claim)
      if (!row) return leaseLost
      if (isRunningElsewhere(row.project, issueNumber, row.id)) return { status: 'busy' }
      row.issueNumber = issueNumber
      row.running = true
      return { status: 'bound', issueNumber }
    },

    async heartbeat(claims, options) {
      checkOpen(options)
      const answer: { lost: Claim[]; cancelRequested: Claim[] } = { lost: [], cancelRequested: [] }
      for (const claim of claims) {
        const row = heldRow(data, claim)
        if (row?.hold) row.hold.beats += 1
        if (!row) answer.lost.push(claim)
        else if (row.cancelRequested) answer.cancelRequested.push(claim)
      }
      return answer
    },

    async complete(claim, options) {
      checkOpen(options)
      return completeRow(claim)
    },

    async fail(claim, error, { retryAt, fatal = false, ...options } = {}) {
      checkOpen(options)
      const at = parseInput(RetryAt, retryAt, 'time to retry at')
      return failRow(claim, parseInput(StorableText, error, 'error'), at, fatal)
    },

    async release(claim, { retryAt, ...options } = {}) {
      checkOpen(options)
      const at = parseInput(RetryAt, retryAt, 'time to retry at')
      const row = heldRow(data, claim)
      if (!row) return leaseLost
      giveBack(data, row, { runAt: at?.getTime() ?? clock.now(), now: clock.now() })
      return { status: 'released' }
    },
  }
}
