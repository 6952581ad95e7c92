import {
  type CallOptions,
  type ClaimedTask,
  ClaimRequest,
  canExist,
  maxUpdateTries,
  parseInput,
  StoreError,
} from '@nexus/core'
import { sqlStateOf } from '../pg-errors.ts'
import { type ClaimedRow, claimTasks, claimTasksOf } from '../statements/inbox-claim.ts'
import type { Call } from '../tools.ts'
import type { InboxTools } from './inbox-tools.ts'
import { boundedLease, readClaimed } from './rows.ts'

type Request = ReturnType<typeof ClaimRequest.parse>

const maxClaims = 10_000
/** How many projects are remembered by when they were served; among all others it goes round in the order of their names. */
const maxServed = 100

/** Runs what it is given one after the other. */
const createTurns = () => {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work)
    last = next.catch(() => {})
    return next
  }
}

/** Which projects this opening served longest ago: of equals it is their turn. [C-INBOX-4] */
const createServed = () => {
  const served = new Set<string>()
  return {
    list: (): string[] => [...served],
    note(project: string): void {
      served.delete(project)
      served.add(project)
      const [oldest] = served
      if (served.size > maxServed && oldest !== undefined) served.delete(oldest)
    },
  }
}

export const createClaim = ({ run, begin }: InboxTools) => {
  const inTurn = createTurns()
  const served = createServed()

  const take = async (values: unknown[], projects: string[] | undefined, call: Call): Promise<ClaimedRow[]> =>
    projects ? run(claimTasksOf, [...values, projects], call) : run(claimTasks, values, call)

  const attempt = async (request: Request, call: Call): Promise<ClaimedTask[]> => {
    const projects = request.projects?.filter(canExist)
    const cap = request.maxPerProject ?? null
    const limit = Math.min(request.limit, maxClaims)
    for (let tries = 0; tries < maxUpdateTries; tries += 1)
      try {
        const rows = await take(
          [limit, request.worker, boundedLease(request.leaseMs), served.list(), cap],
          projects,
          call,
        )
        rows.sort((a, b) => a.place - b.place)
        for (const row of rows) served.note(row.project_key)
        return rows.map(readClaimed)
      } catch (error) {
        // Another claimer took a task of the same name meanwhile, and the next look sees it. [C-INBOX-6]
        if (sqlStateOf(error) !== '23505') throw error
      }
    throw new StoreError({ code: 'unavailable', message: 'Others kept claiming tasks of the same names.' })
  }

  return async (given: ClaimRequest, options?: CallOptions): Promise<ClaimedTask[]> => {
    const request = parseInput(ClaimRequest, given, 'claim request')
    if (request.projects?.length === 0) return []
    const call = begin(options)
    // The cap counts what is committed, so two claims of one claimer must not count at the same time. [C-INBOX-17] And
    // of claims at once each would look at the tasks that another is just taking first.
    return inTurn(() => attempt(request, call))
  }
}
