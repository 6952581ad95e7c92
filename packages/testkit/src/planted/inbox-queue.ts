import type { EnqueueTask } from '@nexus/core'
import type { InboxRow } from '../memory/inbox-data.ts'
import { type PlantedBug, plantIn } from './bug.ts'
import { rowsOf, whileChanged } from './inbox-rows.ts'

const bug = plantIn('inbox')

const without = (tasks: readonly EnqueueTask[], field: keyof EnqueueTask): EnqueueTask[] =>
  tasks.map((task) => ({ ...task, [field]: undefined }))

const enqueueing: PlantedBug[] = [
  bug('C-INBOX-1', 'answers of a batch come in another order', ({ intact }) => ({
    enqueue: async (tasks, options) => (await intact.enqueue(tasks, options)).reverse(),
  })),
  bug('C-INBOX-1', 'a batch beyond one chunk loses its tail', ({ intact }) => ({
    enqueue: (tasks, options) => intact.enqueue(tasks.slice(0, 500), options),
  })),
  bug('C-INBOX-2', 'the caller’s key is freed when the task is done', ({ intact, data }) => ({
    async complete(claim, options) {
      const result = await intact.complete(claim, options)
      const row = data.inbox.rows.get(claim.id)
      if (row && result.status === 'done') row.idempotencyKey = null
      return result
    },
  })),
  bug('C-INBOX-2', 'a name is held for ever', ({ intact, data }) => ({
    enqueue: (tasks, options) =>
      whileChanged(
        rowsOf(data).filter(({ status }) => status === 'done' || status === 'failed'),
        'status',
        () => 'processing',
        () => intact.enqueue(tasks, options),
      ),
  })),
  bug('C-INBOX-2', 'the workspace is no part of the name', ({ intact }) => ({
    enqueue: (tasks, options) => intact.enqueue(without(tasks, 'workspace'), options),
  })),
  bug('C-INBOX-2', 'a task in processing holds no name', ({ intact, data }) => ({
    enqueue: (tasks, options) =>
      whileChanged(
        rowsOf(data).filter(({ status }) => status === 'processing'),
        'status',
        () => 'done',
        () => intact.enqueue(tasks, options),
      ),
  })),
  bug('C-INBOX-18', 'tasks of other programs are never claimed', ({ intact, data }) => {
    const isForeign = ({ id }: InboxRow): boolean => id.length < 10
    return {
      claim: (request, options) =>
        whileChanged(
          rowsOf(data).filter((row) => isForeign(row) && row.status === 'pending'),
          'status',
          () => 'unknown',
          () => intact.claim(request, options),
        ),
    }
  }),
  bug('C-INBOX-19', 'a watch ends at once', () => ({
    watch: async function* () {},
  })),
]

const claiming: PlantedBug[] = [
  bug('C-INBOX-3', 'a task that is held is claimed again', ({ intact, data }) => ({
    async claim(request, options) {
      for (const row of rowsOf(data)) if (row.status === 'processing') row.status = 'pending'
      return intact.claim(request, options)
    },
  })),
  bug('C-INBOX-3', 'claims select first and update later', ({ intact, data }) => ({
    async claim(request, options) {
      const selected = rowsOf(data).filter(({ status }) => status === 'pending')
      await Promise.resolve()
      for (const row of selected) if (row.status === 'processing') row.status = 'pending'
      return intact.claim(request, options)
    },
  })),
  bug('C-INBOX-4', 'priority is ignored', ({ intact, data }) => ({
    claim: (request, options) =>
      whileChanged(
        rowsOf(data),
        'priority',
        () => 0,
        () => intact.claim(request, options),
      ),
  })),
  bug('C-INBOX-4', 'the oldest task of all goes first, whatever its project', ({ intact, data }) => ({
    async claim(request, options) {
      const oldest = rowsOf(data).find(({ status }) => status === 'pending')
      return intact.claim(oldest && !request.projects ? { ...request, projects: [oldest.project] } : request, options)
    },
  })),
  bug('C-INBOX-4', 'the last enqueued goes first', ({ intact, data }) => ({
    claim: (request, options) =>
      whileChanged(
        rowsOf(data),
        'sequence',
        ({ sequence }) => -sequence,
        () => intact.claim(request, options),
      ),
  })),
  bug('C-INBOX-5', 'run times are ignored', ({ intact }) => ({
    enqueue: (tasks, options) => intact.enqueue(without(tasks, 'runAt'), options),
  })),
  bug('C-INBOX-6', 'two tasks of one name run side by side', ({ intact, data }) => ({
    claim: (request, options) =>
      whileChanged(
        rowsOf(data),
        'workspace',
        ({ id }) => id,
        () => intact.claim(request, options),
      ),
  })),
  bug('C-INBOX-17', 'only what one call claims counts toward the cap', ({ intact, data }) => ({
    async claim(request, options) {
      const held = rowsOf(data).filter(({ status }) => status === 'processing')
      return whileChanged(
        held,
        'project',
        () => '',
        () => intact.claim(request, options),
      )
    },
  })),
]

const operating: PlantedBug[] = [
  bug('C-INBOX-14', 'requeue does not look for a twin', ({ intact, data }) => ({
    async requeue(id, options) {
      const result = await intact.requeue(id, options)
      if (result.status !== 'duplicate') return result
      const row = data.inbox.rows.get(id)
      if (row) row.status = 'pending'
      return { status: 'requeued' }
    },
  })),
  bug('C-INBOX-14', 'requeue keeps the attempts', ({ intact, data }) => ({
    async requeue(id, options) {
      const row = data.inbox.rows.get(id)
      const attempts = row?.attempts ?? 0
      const result = await intact.requeue(id, options)
      if (row) row.attempts = attempts
      return result
    },
  })),
  bug('C-INBOX-14', 'what is done is requeued', ({ intact, data }) => ({
    async requeue(id, options) {
      const row = data.inbox.rows.get(id)
      if (row?.status === 'done') row.status = 'failed'
      return intact.requeue(id, options)
    },
  })),
  bug('C-INBOX-15', 'cancel takes the task from under its holder', ({ intact, data }) => ({
    async cancel(id, options) {
      const row = data.inbox.rows.get(id)
      if (row?.status === 'processing') row.status = 'pending'
      return intact.cancel(id, options)
    },
  })),
  bug('C-INBOX-15', 'a cancelled task is claimed all the same', ({ intact, data }) => ({
    async cancel(id, options) {
      const result = await intact.cancel(id, options)
      const row = data.inbox.rows.get(id)
      if (row && result.status === 'cancelled') row.status = 'pending'
      return result
    },
  })),
  bug('C-INBOX-15', 'a task that is to be stopped is given to the next', ({ intact, data }) => ({
    async release(claim, options) {
      const row = data.inbox.rows.get(claim.id)
      if (row) row.cancelRequested = false
      return intact.release(claim, options)
    },
  })),
  bug('C-INBOX-20', 'a claim of none claims one', ({ intact }) => ({
    claim: (request, options) => intact.claim({ ...request, limit: Math.max(1, Math.floor(request.limit)) }, options),
  })),
  bug('C-INBOX-16', 'purge keeps the idempotency keys', ({ intact, data }) => {
    const kept = new Map<string, string>()
    return {
      async purge(request, options) {
        const before = rowsOf(data)
        const result = await intact.purge(request, options)
        for (const row of before)
          if (row.idempotencyKey !== null && !data.inbox.rows.has(row.id)) kept.set(row.idempotencyKey, row.id)
        return result
      },
      async enqueue(tasks, options) {
        const results = await intact.enqueue(tasks, options)
        return results.map((result, n) => {
          const id = kept.get(tasks[n]?.idempotencyKey ?? '')
          return id === undefined ? result : { status: 'duplicate', id }
        })
      },
    }
  }),
  bug('C-INBOX-16', 'purge ignores when a task ended', ({ intact }) => ({
    purge: (request, options) => intact.purge({ ...request, olderThan: new Date(8.64e15) }, options),
  })),
  bug('C-INBOX-16', 'counts leave out what is not due', ({ intact, data, context }) => ({
    async counts(options) {
      const counted = await intact.counts(options)
      const waits = ({ status, runAt }: InboxRow) => status === 'pending' && runAt > context.clock.now()
      return { ...counted, pending: counted.pending - rowsOf(data).filter(waits).length }
    },
  })),
  bug('C-INBOX-21', 'the oldest is looked for among what is held too', ({ intact, data }) => ({
    oldestDue: (options) =>
      whileChanged(
        rowsOf(data).filter(({ status }) => status === 'processing'),
        'status',
        () => 'pending',
        () => intact.oldestDue(options),
      ),
  })),
]

export const inboxQueueBugs: PlantedBug[] = [...enqueueing, ...claiming, ...operating]
