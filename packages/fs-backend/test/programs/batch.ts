import type { CompletionRecord, InboxRecord, StoreRecords, TaskFileRecord } from '@nexus/core'

export type Batched = 'completions' | 'taskFiles' | 'inbox'

const at = (n: number): Date => new Date(1_770_000_000_000 + n)

/** The records of one call each: they depend on the number alone, so another process knows them too. */
export const batchOf = (batch: number): { readonly [S in Batched]: StoreRecords[S][] } => {
  const numbers = Array.from({ length: 40 }, (_, n) => batch * 40 + n + 1)
  const completions = numbers.map(
    (n): CompletionRecord => ({
      dedupKey: `${batch}:agent-${n}:complete`,
      project: 'alpha',
      issueNumber: String(batch),
      agentType: `agent-${n}`,
      status: 'complete',
      summary: `completion ${n}`,
      reportId: null,
      data: `{"n":${n}.0}`,
      seq: n,
      createdAt: at(n),
      savedAt: at(n),
    }),
  )
  const taskFiles = numbers.map(
    (n): TaskFileRecord => ({
      project: 'alpha',
      filename: `task-${n}.md`,
      state: n % 2 === 0 ? 'active' : 'closed',
      content: `# ${n}\n`,
      issueNumber: String(n),
      createdAt: at(n),
      updatedAt: at(n + 1),
    }),
  )
  const inbox = numbers.map(
    (n): InboxRecord => ({
      id: String(n),
      project: 'alpha',
      workspace: '',
      filename: `task-${n}.md`,
      markdown: `# ${n}\n`,
      status: n % 4 === 0 ? 'processing' : n % 4 === 1 ? 'done' : 'pending',
      priority: 0,
      runAt: at(n),
      attempts: 0,
      recoveries: 0,
      maxAttempts: 3,
      idempotencyKey: n % 3 === 0 ? `key ${n}` : null,
      issueNumber: n % 4 === 0 ? String(n) : null,
      error: null,
      cancelRequested: false,
      createdAt: at(n),
      processedAt: n % 4 === 1 ? at(n) : null,
      epoch: 3,
      hold: n % 4 === 0 ? { worker: 'worker-1', leaseMs: 60_000, bound: true } : null,
    }),
  )
  return { completions, taskFiles, inbox }
}
