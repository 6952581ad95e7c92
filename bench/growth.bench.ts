import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, StoreName, StoreRecords } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { expect, test } from 'vitest'
import { context } from './context.ts'
import { median } from './figures.ts'
import { completionOf, recordsOf, taskOf } from './records.ts'
import { type Curve, publishCurve } from './results.ts'
import { startServer } from './server.ts'
import { openStores } from './stores.ts'

const isLong = process.env['NEXUS_BENCH'] === 'long'
const sizes = [100, 1_000, 10_000, 100_000, ...(isLong ? [1_000_000] : [])]
const page = 1_000
/** Of each operation, of which the median counts. */
const looks = 25
const lease = { worker: 'bench', leaseMs: 600_000 }

const fill = async <S extends StoreName>(
  backend: Backend,
  store: S,
  [from, to]: readonly [number, number],
  recordOf: (n: number) => StoreRecords[S],
): Promise<void> => {
  for (let first = from; first < to; first += page) {
    const some = Array.from({ length: Math.min(page, to - first) }, (_, n) => recordOf(first + n))
    await recordsOf(backend).write(store, some)
  }
}

const medianMs = async (work: (n: number) => Promise<unknown>): Promise<number> => {
  const times: number[] = []
  for (let n = 0; n < looks; n += 1) {
    const begun = performance.now()
    await work(n)
    times.push(performance.now() - begun)
  }
  return median(times)
}

/** What users wait for, each with so many records in the store. */
const operations = (stores: Backend, size: number): Record<string, (n: number) => Promise<unknown>> => ({
  'report saved': (n) =>
    stores.completions.save({
      project: 'shop',
      issueNumber: `new-${size}-${n}`,
      agentType: 'worker',
      status: 'complete',
      summary: 'Done',
      payload: { key_findings: ['x'.repeat(300)] },
      reportId: null,
    }),
  'reports of an issue': async (n) => {
    expect((await stores.completions.history(String(n), { project: 'shop' })).items).toHaveLength(4)
  },
  'first page of reports': async () => {
    expect((await stores.completions.scan({ limit: 50 })).items).toHaveLength(50)
  },
  'task enqueued': (n) =>
    stores.inbox.enqueue([{ project: 'project-1', filename: `new-${size}-${n}.md`, markdown: 'Go.' }]),
  'task claimed and completed': async () => {
    const [task] = await stores.inbox.claim({ ...lease, limit: 1 })
    if (!task) throw new Error('nothing was claimed')
    expect(await stores.inbox.complete(task.claim)).toEqual({ status: 'done' })
  },
  counts: async () => {
    expect((await stores.inbox.counts()).pending).toBeGreaterThan(size / 2)
  },
  'first page of tasks': async () => {
    expect((await stores.inbox.list({ status: 'pending', limit: 50 })).items).toHaveLength(50)
  },
})

const grow = async (
  name: string,
  variables: Record<string, string>,
  openRaw: () => Promise<Backend & AsyncDisposable>,
): Promise<void> => {
  const curves = new Map<string, Curve['points']>()
  const add = (curve: string, records: number, value: number): void => {
    curves.set(curve, [...(curves.get(curve) ?? []), { records, value }])
  }
  let last = 0
  for (const size of sizes) {
    {
      await using backend = await openRaw()
      await fill(backend, 'completions', [last, size], completionOf)
      await fill(backend, 'inbox', [last, size], taskOf)
    }
    last = size
    const begun = performance.now()
    await using stores = await openStores(variables)
    await stores.inbox.counts()
    add('start, and what is open', size, performance.now() - begun)
    for (const [operation, work] of Object.entries(operations(stores, size))) add(operation, size, await medianMs(work))
  }
  for (const [curve, points] of curves) publishCurve({ curve: `${curve}, ${name}`, unit: 'ms', points })
}

const timeout = { timeout: isLong ? 3 * 3_600_000 : 900_000 }

test('as records grow, on files', timeout, async () => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  const variables = { NEXUS_STORAGE_BACKEND: 'filesystem', NEXUS_DIR: root }
  await grow('files', variables, () => openFsBackend({ root, ...context }))
  await rm(root, { recursive: true })
})

test('as records grow, on PostgreSQL', timeout, async () => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  await using server = await startServer()
  await using database = await server.database()
  const { dsn } = database
  const variables = { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_DIR: root, NEXUS_STORAGE_DSN: dsn }
  await grow('PostgreSQL', variables, () => openPgBackend({ dsn, ...context }))
  await rm(root, { recursive: true })
})
