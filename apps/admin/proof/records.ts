import type { Records, StoreName, StoreRecords } from '@nexus/core'

const epoch = Date.UTC(2026, 0, 1)
const at = (n: number): Date => new Date(epoch + n * 1_237)
const project = (n: number): string => ['alpha', 'beta', 'gamma-shop', 'delta'][n % 4] ?? 'alpha'
const id = (n: number): string => `0h${n.toString(36).padStart(10, '0')}`
const text = (n: number): string => `The cart forgets item ${n} – every time. `.repeat(1 + (n % 5))

const statusOf = (n: number): 'pending' | 'done' | 'failed' | 'processing' =>
  n % 50 === 7 ? 'processing' : n % 10 === 3 ? 'failed' : n % 2 === 0 ? 'done' : 'pending'

const agents = ['planner', 'developer', 'reviewer', 'tester']
const worker = 'elsewhere~0000~1/boot/77/1234'

const makers: { readonly [S in StoreName]: (n: number) => StoreRecords[S] } = {
  workflows: (n) => {
    const fields = {
      id: `${project(n)}-${n}-feature`,
      name: `Feature ${n}`,
      state: ['running', 'paused', 'completed', 'failed'][n % 4] ?? 'running',
      currentStep: n % 3,
      project: project(n),
      issueNumber: String(n),
      createdAt: at(n),
      updatedAt: at(n + 5),
    }
    const document = {
      id: fields.id,
      name: fields.name,
      state: fields.state,
      current_step: fields.currentStep,
      project: fields.project,
      issue_number: fields.issueNumber,
      created_at: fields.createdAt.toISOString(),
      updated_at: fields.updatedAt.toISOString(),
      steps: [{ step_num: 1, prompt_template: text(n), unknown: { n } }],
    }
    return { ...fields, data: `${JSON.stringify(document).slice(0, -1)},"big":1234567890123456${n % 1000}789}` }
  },
  completions: (n) => {
    // An issue has one of each of its agents.
    const [issue, agentType] = [Math.floor(n / agents.length), agents[n % agents.length] ?? '']
    return {
      dedupKey: `${issue}:${agentType}:complete`,
      project: project(issue),
      issueNumber: String(issue),
      agentType,
      status: 'complete',
      summary: `Item ${n} is remembered`,
      reportId: n % 3 === 0 ? null : `at-${n}`,
      data: `{"status":"complete","summary":"Item ${n} is remembered","cost":1.${n % 100}0,"findings":[${n}]}`,
      seq: n % 97 === 0 ? null : n + 1,
      createdAt: at(n),
      savedAt: at(n + 1),
    }
  },
  hostState: (n) => ({
    key: `state_${n}`,
    data: n % 4 === 0 ? `[${n},null]` : `{"n":${n},"list":["a b",${n}.50]}`,
    updatedAt: at(n),
  }),
  taskFiles: (n) => ({
    project: project(n),
    filename: `task-${n}.md`,
    state: n % 3 === 0 ? 'closed' : 'active',
    content: `# Task ${n}\n\n${text(n)}\n`,
    issueNumber: n % 5 === 0 ? null : String(n),
    createdAt: at(n),
    updatedAt: at(n + 2),
  }),
  inbox: (n) => {
    const status = statusOf(n)
    const isOver = status === 'done' || status === 'failed'
    return {
      id: id(n),
      project: project(n),
      workspace: n % 6 === 0 ? '/srv/work' : '',
      filename: `inbox-${n}.md`,
      markdown: `# Inbox ${n}\n\n${text(n)}\n`,
      status,
      priority: (n % 5) - 2,
      runAt: at(n + 10),
      attempts: n % 3,
      recoveries: 0,
      maxAttempts: 3,
      idempotencyKey: n % 7 === 0 ? `key-${n}` : null,
      issueNumber: status === 'pending' ? null : String(n),
      error: status === 'failed' ? `gone wrong ${n}` : null,
      cancelRequested: false,
      createdAt: at(n),
      processedAt: isOver ? at(n + 100) : null,
      epoch: status === 'pending' ? 0 : 1 + (n % 3),
      hold: status === 'processing' ? { worker, leaseMs: 300_000, bound: true } : null,
    }
  },
}

/** The n-th record of a store, counted from 0; each differs from all others. */
export const recordOf = <S extends StoreName>(store: S, n: number): StoreRecords[S] => makers[store](n)

/** So many of a store, a thousand at a time. */
function* batchesOf<S extends StoreName>(store: S, amount: number): Generator<StoreRecords[S][]> {
  for (let from = 0; from < amount; from += 1000)
    yield Array.from({ length: Math.min(1000, amount - from) }, (_, index) => makers[store](from + index))
}

/** Writes so many of a store, one batch after the other, as a plain bulk load does. */
export const fillStore = async <S extends StoreName>(
  records: Pick<Records, 'write'>,
  store: S,
  amount: number,
): Promise<void> => {
  for (const batch of batchesOf(store, amount)) await records.write(store, batch)
}

const numberWords: { readonly [S in StoreName]: (record: StoreRecords[S]) => string } = {
  workflows: ({ issueNumber }) => issueNumber ?? '',
  completions: ({ summary }) => summary.split(' ')[1] ?? '',
  hostState: ({ key }) => key.slice('state_'.length),
  taskFiles: ({ filename }) => filename.slice('task-'.length, -'.md'.length),
  inbox: ({ filename }) => filename.slice('inbox-'.length, -'.md'.length),
}

/** Which of its store a record says to be. */
export const numberOf = <S extends StoreName>(store: S, record: StoreRecords[S]): number =>
  Number(numberWords[store](record))

/** The one line that a proof has to say. */
export const report = (proof: string, figures: Record<string, number | string>): void => {
  const words = Object.entries(figures).map(([key, value]) => `${key}=${value}`)
  process.stdout.write(`${proof}: ${words.join(' ')}\n`)
}
