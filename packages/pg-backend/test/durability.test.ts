import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Backend, type LogFields, silentLogger } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { type Cluster, freshDatabase, startCluster } from '@nexus/testkit/postgres'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPgBackend } from '../src/index.ts'

let folder = ''
let cluster: Cluster
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-durable-'))
  cluster = await startCluster({ dataDir: join(folder, 'postgres') })
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** One writer per store, until the server is gone; what was acknowledged, by store. */
const writeOn = async (backend: Backend, onAcknowledged: () => void) => {
  const { workflows, completions, hostState, taskFiles, inbox } = backend
  const writes = {
    workflows: (n: number) => workflows.save({ id: `w${n}`, name: 'w', state: 'running', currentStep: n, data: {} }),
    completions: (n: number) =>
      completions.save({
        project: 'alpha',
        issueNumber: `${n}`,
        agentType: 'developer',
        status: 'complete',
        summary: 'Done',
        payload: {},
        reportId: null,
      }),
    hostState: (n: number) => hostState.patch('counter', { entries: { [n]: n } }),
    taskFiles: (n: number) => taskFiles.save({ project: 'alpha', filename: `t${n}.md`, content: 'Fix it' }),
    inbox: (n: number) => inbox.enqueue([{ project: 'alpha', filename: `t${n}.md`, markdown: 'Fix it' }]),
  }
  const untilRefused = async (write: (n: number) => Promise<unknown>): Promise<number> => {
    for (let n = 0; ; n += 1) {
      const isRefused = await write(n).then(
        () => false,
        () => true,
      )
      if (isRefused) return n
      onAcknowledged()
    }
  }
  const ends = Object.entries(writes).map(async ([store, write]) => [store, await untilRefused(write)] as const)
  return Object.fromEntries(await Promise.all(ends))
}

const found = async ({ workflows, completions, hostState, taskFiles, inbox }: Backend) => {
  const all = { limit: 1000 }
  return {
    workflows: (await workflows.list(all)).items.length,
    completions: (await completions.scan(all)).items.length,
    hostState: Object.keys((await hostState.load('counter'))?.value ?? {}).length,
    taskFiles: (await taskFiles.list(all)).items.length,
    inbox: (await inbox.list(all)).items.length,
  }
}

test('[C-ALL-1] after kill -9 of the server everything acknowledged is there', async () => {
  const { dsn } = await freshDatabase(cluster.dsn)
  const { context } = createFakes()
  await using backend = await openPgBackend({ dsn, ...context })
  let left = 200
  let killed: Promise<void> | undefined
  const acknowledged = await writeOn(backend, () => {
    left -= 1
    if (left === 0) killed = cluster.kill()
  })
  await killed
  await cluster.start()
  await using again = await openPgBackend({ dsn, ...context })
  for (const [store, count] of Object.entries(await found(again))) {
    // The write that was under way may have happened.
    expect(count, store).toBeGreaterThanOrEqual(acknowledged[store] ?? Number.NaN)
    expect(count, store).toBeLessThanOrEqual((acknowledged[store] ?? 0) + 1)
  }
  expect(Object.values(acknowledged).reduce((a, b) => a + b)).toBeGreaterThanOrEqual(200)
})

test('[C-ALL-1] a server that may lose what it acknowledged is named when it is opened', async () => {
  const { dsn } = await freshDatabase(cluster.dsn)
  const { context } = createFakes()
  const warnings: [string, LogFields?][] = []
  const logger = { ...silentLogger, warn: (...warning: [string, LogFields?]) => void warnings.push(warning) }
  const opened = async () => {
    await using _ = await openPgBackend({ dsn, ...context, logger })
    return warnings.splice(0)
  }
  expect(await opened()).toEqual([])
  const sql = new pg.Client({ connectionString: dsn })
  await sql.connect()
  await sql.query(`ALTER DATABASE ${sql.database} SET synchronous_commit = off`)
  await sql.end()
  const message = 'PostgreSQL may lose acknowledged writes when its machine stops'
  expect(await opened()).toEqual([[message, { off: 'synchronous_commit' }]])
})
