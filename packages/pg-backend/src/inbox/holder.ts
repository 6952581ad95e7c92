import {
  type Claim,
  checkName,
  type FailResult,
  type InboxStore,
  type LeaseLost,
  parseInput,
  retryDelayMs,
  StorableText,
} from '@nexus/core'
import { createCoalesced } from '../coalesce.ts'
import { sqlStateOf } from '../pg-errors.ts'
import * as sql from '../statements/inbox-holder.ts'
import type { InboxTools } from './inbox-tools.ts'
import { readRetryAt } from './rows.ts'
import { type Held, readClaim, readClaims } from './task-ids.ts'

/** What the holder of a claim may do; each verb is one statement fenced by the claim's epoch. [C-INBOX-7] */
export type HolderVerbs = Pick<InboxStore, 'bind' | 'heartbeat' | 'complete' | 'fail' | 'release'>

const leaseLost: LeaseLost = { status: 'lease-lost' }

/** By the number of failures; the last one stands for all beyond. */
const retryDelays = (): number[] => Array.from({ length: 16 }, (_, n) => retryDelayMs(n + 1, Math.random()))

const nameOf = (id: number, epoch: number, worker: string): string => JSON.stringify([id, epoch, worker])

const nameOfRow = (row: { id: number; claim_epoch: number; claimed_by: string }): string =>
  nameOf(row.id, row.claim_epoch, row.claimed_by)

const columnsOf = (read: readonly (Held | null)[]): unknown[] => {
  const known = read.filter((claim) => claim !== null)
  return [0, 1, 2].map((part) => known.map((claim) => claim[part]))
}

const createBind =
  ({ run, begin }: InboxTools): HolderVerbs['bind'] =>
  async (claim, { issueNumber }, options) => {
    const call = begin(options)
    checkName('issueNumber', issueNumber)
    const held = await readClaim(run, claim, call)
    if (!held) return leaseLost
    try {
      const [found] = await run(sql.bindTask, [...held, issueNumber], call)
      if (found?.is_bound) return { status: 'bound', issueNumber }
      return found?.is_taken ? { status: 'busy' } : leaseLost
    } catch (error) {
      if (sqlStateOf(error) === '23505') return { status: 'busy' }
      throw error
    }
  }

const createHeartbeat =
  ({ run, begin }: InboxTools): HolderVerbs['heartbeat'] =>
  async (claims, options) => {
    const call = begin(options)
    const read = await readClaims(run, claims, call)
    const rows = read.some((claim) => claim !== null) ? await run(sql.renewTasks, columnsOf(read), call) : []
    const renewed = new Map(rows.map((row) => [nameOfRow(row), row.cancel_requested]))
    const answer: { lost: Claim[]; cancelRequested: Claim[] } = { lost: [], cancelRequested: [] }
    for (const [nth, claim] of claims.entries()) {
      const held = read[nth]
      const isCancelled = held ? renewed.get(nameOf(...held)) : undefined
      if (isCancelled === undefined) answer.lost.push(claim)
      else if (isCancelled) answer.cancelRequested.push(claim)
    }
    return answer
  }

const createFail =
  ({ run, begin }: InboxTools): HolderVerbs['fail'] =>
  async (claim, error, { retryAt, fatal = false, signal } = {}): Promise<FailResult | LeaseLost> => {
    const call = begin({ signal })
    const words = parseInput(StorableText, error, 'error')
    const at = readRetryAt(retryAt)
    const held = await readClaim(run, claim, call)
    if (!held) return leaseLost
    const [row] = await run(sql.failTask, [...held, words, fatal, at, retryDelays()], call)
    if (!row) return leaseLost
    const { status, attempts, run_at } = row
    if (status === 'failed') return { status, attempts }
    return { status: 'retrying', runAt: new Date(run_at), attempts }
  }

type Completed = { status: 'done' } | LeaseLost

/** Those of concurrent calls go together. */
const createComplete = ({ run }: InboxTools) =>
  createCoalesced<Claim, Completed>({
    keyOf: ({ id }) => id,
    async single(claim, call) {
      const held = await readClaim(run, claim, call)
      if (!held) return leaseLost
      if ((await run(sql.completeTask, held, call)).length > 0) return { status: 'done' }
      // An answer that was lost on the way: the work is done, by this very claim.
      return (await run(sql.findCompleted, held, call)).length > 0 ? { status: 'done' } : leaseLost
    },
    async batch(claims, call) {
      const read = await readClaims(run, claims, call)
      const done = new Set((await run(sql.completeTasks, columnsOf(read), call)).map(nameOfRow))
      return read.map((held) => (held && done.has(nameOf(...held)) ? { status: 'done' } : null))
    },
  })

export const createHolderVerbs = (tools: InboxTools): HolderVerbs => {
  const { run, wake, begin } = tools
  const complete = createComplete(tools)
  return {
    bind: createBind(tools),
    heartbeat: createHeartbeat(tools),
    fail: createFail(tools),

    async complete(claim, options) {
      return complete(claim, begin(options))
    },

    async release(claim, { retryAt, signal } = {}) {
      const call = begin({ signal })
      const at = readRetryAt(retryAt)
      const held = await readClaim(run, claim, call)
      if (!held) return leaseLost
      const [row] = await run(sql.releaseTask, [...held, at], call)
      if (!row) return leaseLost
      if (at === null) wake([row.project_key])
      return { status: 'released' }
    },
  }
}
