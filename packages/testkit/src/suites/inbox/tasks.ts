import type { Backend, ClaimedTask, ClaimRequest, EnqueueTask, InboxStore } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'

export const leaseMs = 60_000
export const hour = 3_600_000

export const task = (fields: Partial<EnqueueTask> = {}): EnqueueTask => ({
  project: 'apollo',
  workspace: '/srv/apollo',
  filename: 'fix-login.md',
  markdown: '# Fix the login\n',
  ...fields,
})

/** Tasks of one project with names of their own. */
export const tasks = (count: number, fields: Partial<EnqueueTask> = {}): EnqueueTask[] =>
  Array.from({ length: count }, (_, n) => task({ filename: `${fields.project ?? 'task'}-${n}.md`, ...fields }))

export const enqueueOne = async ({ inbox }: Backend, fields: Partial<EnqueueTask> = {}): Promise<string> => {
  const [result] = await inbox.enqueue([task(fields)])
  expect(result).toEqual({ status: 'enqueued', id: expect.any(String) })
  return result?.id ?? ''
}

export const claimUpTo = (
  { inbox }: { inbox: InboxStore },
  limit: number,
  request: Partial<ClaimRequest> = {},
): Promise<ClaimedTask[]> => inbox.claim({ worker: 'worker-1', leaseMs, ...request, limit })

/** Claims the one task that must be claimable. */
export const claimOne = async (
  backend: { inbox: InboxStore },
  request: Partial<ClaimRequest> = {},
): Promise<ClaimedTask> => {
  const [claimed] = await claimUpTo(backend, 1, request)
  if (!claimed) throw new Error('Expected a task to be claimable.')
  return claimed
}

export const enqueueAndClaim = async (
  backend: Backend,
  fields: Partial<EnqueueTask> = {},
  request: Partial<ClaimRequest> = {},
): Promise<ClaimedTask> => {
  const id = await enqueueOne(backend, fields)
  const claimed = await claimOne(backend, request)
  expect(claimed.id).toBe(id)
  return claimed
}

/** Has this store watch every present claim for a whole lease, and free those that did not move. */
export const sweepAfterLease = async (t: Harness, { inbox }: Backend = t.backend) => {
  await inbox.sweep()
  await t.advance(leaseMs + 1000)
  return inbox.sweep()
}

/** Claims again once the first claim was swept: the first holder has lost it. */
export const claimTwice = async (t: Harness, workers: [string, string] = ['worker-1', 'worker-2']) => {
  const first = await enqueueAndClaim(t.backend, {}, { worker: workers[0] })
  expect(await sweepAfterLease(t)).toEqual({ freed: [first.id], failed: [] })
  const second = await claimOne(t.backend, { worker: workers[1] })
  expect(second.id).toBe(first.id)
  return { first, second }
}

/**
 * Claims whatever there is in two looks: a store may want to see a file that a person is writing twice, some time apart,
 * before it takes it.
 */
export const claimSettled = async (t: Harness, limit = 10): Promise<ClaimedTask[]> => {
  const early = await claimUpTo(t.backend, limit)
  await t.advance(5000)
  return [...early, ...(await claimUpTo(t.backend, limit))]
}
