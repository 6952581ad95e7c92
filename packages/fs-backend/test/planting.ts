import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemClock } from '@nexus/core'
import { createInboxLayout } from '../src/inbox/inbox-layout.ts'
import { encodeRecord, type TaskRecord } from '../src/inbox/record.ts'
import { createLayout } from '../src/layout.ts'

/** Ids that no id source gives: their times lie an hour back, so that what is enqueued later is newer. */
const idOf = (n: number): string =>
  `${Math.floor((systemClock.now() - 3_600_000) * 1000 + n)
    .toString(36)
    .padStart(11, '0')}${String(n).padStart(14, '0')}`

const recordOf = (id: string, n: number): TaskRecord => {
  const made = Math.floor(Number.parseInt(id.slice(0, 11), 36) / 1000)
  return {
    id,
    project: 'apollo',
    workspace: '',
    filename: `planted-${n}.md`,
    priority: 0,
    runAt: made,
    attempts: 0,
    recoveries: 0,
    maxAttempts: 3,
    idempotencyKey: null,
    issueNumber: null,
    error: null,
    cancelRequested: false,
    createdAt: made,
    processedAt: null,
  }
}

/**
 * Tasks as the store would have written them, without the store: enqueueing a hundred thousand syncs for minutes. Only
 * the register of their names is left out. Answers their ids, oldest first.
 */
export const plant = (root: string, { pending = 0, done = 0 }: { pending?: number; done?: number }) => {
  const layout = createInboxLayout(createLayout(root))
  const made = new Set<string>()
  const write = (path: string, text: string): void => {
    if (!made.has(dirname(path))) mkdirSync(dirname(path), { recursive: true })
    made.add(dirname(path))
    writeFileSync(path, text)
  }
  const ids = Array.from({ length: pending + done }, (_, n) => idOf(n))
  for (const [n, id] of ids.entries()) {
    const record = recordOf(id, n)
    if (n < done) {
      const name = { id, epoch: 1, holder: '0123456789abcdef' }
      write(layout.endedRecord('done', '2026-01', name), encodeRecord({ ...record, processedAt: record.createdAt }))
      write(layout.endedFile('done', '2026-01', name), '# Planted\n')
      continue
    }
    write(layout.record({ id, version: 0 }), encodeRecord(record))
    write(layout.pendingFile('apollo', { id, version: 0, priority: 0, due: record.runAt }), '# Planted\n')
  }
  return { done: ids.slice(0, done), pending: ids.slice(done) }
}
