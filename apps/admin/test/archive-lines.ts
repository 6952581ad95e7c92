import { createHash } from 'node:crypto'

const at = '2026-01-02T03:04:05.678Z'

/** A record of the host's state as an archive has it. */
export const stateLine = (key: string, more: object = {}): object => ({
  store: 'hostState',
  record: { key, data: '1', updatedAt: at, ...more },
})

/** A task file as an archive has it. */
export const taskFileLine = (project: string, filename: string): object => ({
  store: 'taskFiles',
  record: { project, filename, state: 'active', content: 'x', issueNumber: null, createdAt: at, updatedAt: at },
})

/** A task of the inbox as an archive has it. */
export const taskLine = (more: object = {}): object => ({
  store: 'inbox',
  record: {
    ...{ id: '1', project: 'shop', workspace: '/w', filename: 'a.md', markdown: 'x', status: 'pending', priority: 0 },
    ...{ runAt: at, attempts: 0, recoveries: 0, maxAttempts: 3, idempotencyKey: null, issueNumber: null, error: null },
    ...{ cancelRequested: false, createdAt: at, processedAt: null, epoch: 0, hold: null },
    ...more,
  },
})

export const header = (more: object = {}): object => ({
  format: 'nexus-archive',
  version: 1,
  createdAt: at,
  stores: ['hostState', 'taskFiles'],
  ...more,
})

/** The trailer that fits these lines; `said` is what it says otherwise. */
const trailerOf = (lines: readonly string[], records: readonly object[], said: object): object => {
  const count = (store: string): number => records.filter((one) => 'store' in one && one.store === store).length
  const sha256 = createHash('sha256').update(lines.join('')).digest('hex')
  const stores = { hostState: count('hostState'), taskFiles: count('taskFiles') }
  return { trailer: { records: records.length, sha256, stores, ...said } }
}

/** A whole archive, its checksums right, whatever its lines say. */
export const archiveOf = (
  records: readonly object[],
  { head = header(), trailer = {} }: { head?: object; trailer?: object } = {},
): string => {
  const lines = [head, ...records].map((line) => `${JSON.stringify(line)}\n`)
  return `${lines.join('')}${JSON.stringify(trailerOf(lines, records, trailer))}\n`
}
