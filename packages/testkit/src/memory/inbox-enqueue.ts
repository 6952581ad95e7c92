import { checkName, type EnqueueResult, EnqueueTask, parseInput } from '@nexus/core'
import { addInboxRow, type InboxRow, sameName } from './inbox-data.ts'
import type { MemoryInboxTools } from './inbox-tools.ts'

const live = ({ status }: InboxRow): boolean => status === 'pending' || status === 'processing'

/** The task that has this identity already: by the caller's key until purge, else by name while it lives. [C-INBOX-2] */
export const identityHolder = (
  rows: Iterable<InboxRow>,
  task: Pick<InboxRow, 'project' | 'workspace' | 'filename' | 'idempotencyKey'>,
): InboxRow | null => {
  for (const row of rows) {
    if (task.idempotencyKey !== null) {
      if (row.idempotencyKey === task.idempotencyKey) return row
    } else if (row.idempotencyKey === null && live(row) && sameName(row, task)) return row
  }
  return null
}

const readTask = (input: EnqueueTask) => {
  const task = parseInput(EnqueueTask, input, 'task')
  checkName('project', task.project)
  checkName('filename', task.filename)
  if (task.issueNumber !== null) checkName('issueNumber', task.issueNumber)
  return task
}

export const createEnqueue = ({ data, clock, ids }: MemoryInboxTools) => {
  const enqueueOne = ({ runAt, ...task }: ReturnType<typeof readTask>): EnqueueResult => {
    const holder = identityHolder(data.rows.values(), task)
    if (holder) return { status: 'duplicate', id: holder.id }
    const now = clock.now()
    const row = addInboxRow(data, now, { ...task, id: ids.next(), runAt: runAt?.getTime() ?? now })
    return { status: 'enqueued', id: row.id }
  }
  // All are read before the first is kept: a refused task means that nothing was written.
  return (tasks: readonly EnqueueTask[]): EnqueueResult[] => tasks.map(readTask).map(enqueueOne)
}
