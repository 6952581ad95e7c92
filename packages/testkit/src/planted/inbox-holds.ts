import { StoreError } from '@nexus/core'
import { type PlantedBug, plantContext, plantIn } from './bug.ts'
import { rowsOf } from './inbox-rows.ts'

const bug = plantIn('inbox')

const holding: PlantedBug[] = [
  bug('C-INBOX-7', 'complete is not fenced', ({ intact, data }) => ({
    async complete(claim, options) {
      const row = data.inbox.rows.get(claim.id)
      const current = row?.hold ? { id: row.id, epoch: row.epoch, worker: row.hold.worker } : claim
      return intact.complete(current, options)
    },
  })),
  bug('C-INBOX-7', 'release is fenced by the worker only', ({ intact, data }) => ({
    async release(claim, options) {
      return intact.release({ ...claim, epoch: data.inbox.rows.get(claim.id)?.epoch ?? 0 }, options)
    },
    async complete(claim, options) {
      return intact.complete({ ...claim, epoch: data.inbox.rows.get(claim.id)?.epoch ?? 0 }, options)
    },
  })),
  bug('C-INBOX-7', 'every claim starts at the same epoch', ({ intact, data }) => ({
    async claim(request, options) {
      for (const row of rowsOf(data)) if (row.status === 'pending') row.epoch = 0
      return intact.claim(request, options)
    },
  })),
  bug('C-INBOX-7', 'a second complete is a lost lease', ({ intact, data }) => ({
    async complete(claim, options) {
      const result = await intact.complete(claim, options)
      const row = data.inbox.rows.get(claim.id)
      if (row) row.lastHolder = null
      return result
    },
  })),
  bug('C-INBOX-7', 'done is done for whoever held it once', ({ intact, data }) => ({
    async complete(claim, options) {
      const result = await intact.complete(claim, options)
      return data.inbox.rows.get(claim.id)?.status === 'done' ? { status: 'done' } : result
    },
  })),
  bug('C-INBOX-8', 'a heartbeat does not say what is lost', ({ intact }) => ({
    heartbeat: async (claims, options) => ({ ...(await intact.heartbeat(claims, options)), lost: [] }),
  })),
  bug('C-INBOX-8', 'a heartbeat does not say what a person wants stopped', ({ intact }) => ({
    heartbeat: async (claims, options) => ({ ...(await intact.heartbeat(claims, options)), cancelRequested: [] }),
  })),
  bug('C-INBOX-8', 'a heartbeat renews nothing', ({ intact, data }) => ({
    async heartbeat(claims, options) {
      const answer = await intact.heartbeat(claims, options)
      for (const { hold } of rowsOf(data)) if (hold) hold.beats = 0
      return answer
    },
  })),
  bug('C-INBOX-9', 'a failure is not counted', ({ intact, data }) => ({
    async fail(claim, error, options) {
      const row = data.inbox.rows.get(claim.id)
      if (row) row.attempts = -1
      return intact.fail(claim, error, options)
    },
  })),
  bug('C-INBOX-9', 'what is fatal is tried again', ({ intact }) => ({
    fail: (claim, error, options) => intact.fail(claim, error, { ...options, fatal: false }),
  })),
  bug('C-INBOX-9', 'every retry waits one second', ({ intact, context }) => ({
    fail: (claim, error, options) =>
      intact.fail(claim, error, { retryAt: new Date(context.clock.now() + 1000), ...options }),
  })),
  bug('C-INBOX-10', 'a release counts as a failure', ({ intact, data }) => ({
    async release(claim, options) {
      const result = await intact.release(claim, options)
      const row = data.inbox.rows.get(claim.id)
      if (row && result.status === 'released') row.attempts += 1
      return result
    },
  })),
  bug('C-INBOX-10', 'a release is due at once, whatever it was told', ({ intact }) => ({
    release: (claim, options) => intact.release(claim, { signal: options?.signal }),
  })),
]

const recovering: PlantedBug[] = [
  bug('C-ALL-5', 'an id of a claim is taken for a path', ({ intact }) => ({
    async complete(claim, options) {
      if (claim.id.includes('/')) throw new StoreError({ code: 'unavailable', message: `There is no ${claim.id}.` })
      return intact.complete(claim, options)
    },
  })),
  plantContext('C-INBOX-11', 'inbox: leases are measured on the wall clock', ({ clock }) => ({
    clock: { ...clock, monotonic: () => clock.now() },
  })),
  bug('C-INBOX-11', 'a sweep compares with when the task was claimed', ({ intact, data, context }) => {
    const claimedAt = new Map<string, number>()
    return {
      async claim(request, options) {
        const claimed = await intact.claim(request, options)
        for (const { id } of claimed) claimedAt.set(id, context.clock.monotonic())
        return claimed
      },
      async sweep(options) {
        const answer = await intact.sweep(options)
        for (const row of rowsOf(data)) {
          const age = context.clock.monotonic() - (claimedAt.get(row.id) ?? 0)
          if (!row.hold || age < row.hold.leaseMs) continue
          row.hold = null
          row.status = 'pending'
          row.recoveries += 1
          answer.freed.push(row.id)
        }
        return answer
      },
    }
  }),
  bug('C-INBOX-11', 'a crash loop never ends', ({ intact, data }) => ({
    async sweep(options) {
      for (const row of rowsOf(data)) row.recoveries = Math.min(row.recoveries, 10)
      return intact.sweep(options)
    },
  })),
  plantContext('C-INBOX-12', 'inbox: everybody is taken for dead', () => ({ liveness: () => 'dead' })),
  bug('C-INBOX-12', 'a resumed claim keeps its epoch', ({ intact, data }) => ({
    async resume(request, options) {
      const resumed = await intact.resume(request, options)
      for (const { id, claim } of resumed) {
        claim.epoch -= 1
        const row = data.inbox.rows.get(id)
        if (row) row.epoch -= 1
      }
      return resumed
    },
  })),
  bug('C-INBOX-12', 'an issue whose task ends in a resume is free for a twin', ({ intact, data, context }) => ({
    async resume(request, options) {
      for (const row of rowsOf(data))
        if (row.cancelRequested && row.hold && context.liveness(row.hold.worker) === 'dead') row.running = false
      return intact.resume(request, options)
    },
  })),
  bug('C-INBOX-12', 'a claim whose answer was lost waits for its lease', ({ intact }) => ({
    resume: ({ worker, leaseMs }, options) => intact.resume({ worker, leaseMs }, options),
  })),
  bug('C-INBOX-12', 'a resumed claim forgets its issue', ({ intact }) => ({
    resume: async (request, options) =>
      (await intact.resume(request, options)).map((claimed) => ({ ...claimed, issueNumber: null })),
  })),
]

const binding: PlantedBug[] = [
  bug('C-INBOX-13', 'several tasks of one issue run', ({ intact }) => ({
    async bind(claim, { issueNumber }, options) {
      const result = await intact.bind(claim, { issueNumber }, options)
      return result.status === 'busy' ? { status: 'bound', issueNumber } : result
    },
  })),
  bug('C-INBOX-13', 'an issue of one project keeps another project’s from running', ({ intact, data }) => ({
    async bind(claim, { issueNumber }, options) {
      const runs = rowsOf(data).some((row) => row.running && row.issueNumber === issueNumber && row.id !== claim.id)
      return runs ? { status: 'busy' } : intact.bind(claim, { issueNumber }, options)
    },
  })),
  bug('C-INBOX-13', 'the second bind of one claim is busy', ({ intact, data }) => ({
    async bind(claim, binding, options) {
      if (data.inbox.rows.get(claim.id)?.running) return { status: 'busy' }
      return intact.bind(claim, binding, options)
    },
  })),
  bug('C-INBOX-13', 'the first number bound stays', ({ intact, data }) => ({
    async bind(claim, { issueNumber }, options) {
      const row = data.inbox.rows.get(claim.id)
      const bound = row?.running ? row.issueNumber : null
      return intact.bind(claim, { issueNumber: bound ?? issueNumber }, options)
    },
  })),
  bug('C-INBOX-13', 'an issue that was left for another one stays busy', ({ intact, data }) => {
    const left = new Map<string, string>()
    return {
      async bind(claim, { issueNumber }, options) {
        const row = data.inbox.rows.get(claim.id)
        const holder = left.get(`${row?.project} ${issueNumber}`)
        if (holder !== undefined && holder !== claim.id) return { status: 'busy' }
        const former = row?.running ? row.issueNumber : null
        const result = await intact.bind(claim, { issueNumber }, options)
        if (former !== null && former !== issueNumber) left.set(`${row?.project} ${former}`, claim.id)
        return result
      },
    }
  }),
  bug('C-INBOX-13', 'who is told busy has lost the issue it had', ({ intact, data }) => ({
    async bind(claim, binding, options) {
      const result = await intact.bind(claim, binding, options)
      const row = data.inbox.rows.get(claim.id)
      if (row && result.status === 'busy') row.running = false
      return result
    },
  })),
  bug('C-INBOX-13', 'a task that was given back still runs its issue', ({ intact, data }) => ({
    async release(claim, options) {
      const row = data.inbox.rows.get(claim.id)
      const wasRunning = row?.running ?? false
      const result = await intact.release(claim, options)
      if (row) row.running = wasRunning
      return result
    },
  })),
]

export const inboxHoldBugs: PlantedBug[] = [...holding, ...recovering, ...binding]
