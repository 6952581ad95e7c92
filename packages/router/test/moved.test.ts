import { rm } from 'node:fs/promises'
import { type Backend, type BackendContext, readConfig, type StoreName, silentLogger } from '@nexus/core'
import { openFsBackend, openJournalFiles } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { createFakes } from '@nexus/testkit'
import { freshDatabase } from '@nexus/testkit/postgres'
import { startTcpProxy, type TcpProxy } from '@nexus/testkit/postgres/proxy'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { expect, test, vi } from 'vitest'
import { freshRoot } from '../../fs-backend/test/harness.ts'
import { journalState, openRouter } from '../src/index.ts'

interface World extends AsyncDisposable {
  host: Backend
  /** Another process: the one that moves. */
  mover: Backend
  /** Between the host and the database. */
  proxy: TcpProxy
  warnings: string[]
  journal(): Promise<number | null>
}

const openWorld = async (): Promise<World> => {
  const { context } = createFakes()
  const root = await freshRoot()
  const { dsn, ...database } = await freshDatabase(await testDsn())
  const proxy = await startTcpProxy(dsn)
  const warnings: string[] = []
  const logger = {
    ...silentLogger,
    // The private server is not a durable one, and its backend says so.
    warn: (message: string, fields = {}) => void ('off' in fields || warnings.push(message)),
    error: (message: string) => void warnings.push(message),
  }
  const own: BackendContext = { ...context, logger }
  const host = await openRouter({
    config: readConfig({ NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: proxy.dsn, NEXUS_DIR: root }),
    context: own,
    registry: {
      filesystem: (_, given) => openFsBackend({ root, ...given }),
      postgres: (_, given) => openPgBackend({ dsn: proxy.dsn, ...given }),
    },
    journal: (_, given) => openJournalFiles({ root, ...given }),
    probeMs: 50,
  })
  const mover = await openPgBackend({ dsn, timeoutMs: 10_000, ...context })
  const files = await openJournalFiles({ root, ...context })
  return {
    host,
    mover,
    proxy,
    warnings,
    journal: async () => (await journalState(files))?.operations ?? null,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]()
      await mover[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await rm(root, { recursive: true, force: true })
    },
  }
}

const away = (...stores: StoreName[]) => stores.map((store) => ({ store, to: 'filesystem', at: new Date(0) }))
const gone = { code: 'unavailable', outcome: 'not-applied', movedTo: 'filesystem' }
const report = { project: 'shop', issueNumber: '7', agentType: 'developer', status: 'complete' as const }
const completion = { ...report, summary: 'done', payload: {}, reportId: null }

test('[C-ROUTE-16] a store that moved away is no outage: nothing of it goes to the journal, and others go on', async () => {
  await using world = await openWorld()
  const { hostState, completions, workflows, taskFiles, inbox } = world.host
  await hostState.save('seen', { a: 1 })
  await world.mover.records?.markMoved(away('workflows', 'hostState', 'completions', 'inbox'))
  for (let round = 0; round < 3; round += 1) {
    await expect(hostState.save('seen', 2)).rejects.toMatchObject(gone)
    await expect(hostState.patch('seen', { entries: { b: 2 } })).rejects.toMatchObject(gone)
    await expect(hostState.load('seen')).rejects.toMatchObject(gone)
    await expect(completions.save(completion)).rejects.toMatchObject(gone)
    await expect(completions.scan()).rejects.toMatchObject(gone)
    await expect(inbox.claim({ worker: 'w', leaseMs: 1000, limit: 1 })).rejects.toMatchObject(gone)
    await expect(workflows.list()).rejects.toMatchObject(gone)
    expect(await taskFiles.list()).toMatchObject({ items: [] })
  }
  expect(await world.journal()).toBeNull()
  expect(world.warnings).toEqual([])
})

test('[C-ROUTE-16] the health of a store that moved away says where it went and what to set', async () => {
  await using world = await openWorld()
  await world.mover.records?.markMoved(away('workflows', 'completions'))
  for (const [store, variable] of [
    ['workflows', 'NEXUS_WORKFLOW_BACKEND'],
    ['completions', 'NEXUS_COMPLETION_BACKEND'],
  ] as const) {
    const reason = `The store ${store} moved to filesystem at 1970-01-01T00:00:00.000Z. Set ${variable}=filesystem and start again.`
    expect(await world.host.health(store)).toEqual({ status: 'down', reason, since: 0, movedTo: 'filesystem' })
    expect(await world.host.health('hostState')).toEqual({ status: 'ok' })
  }
  expect(await world.host.hostState.save('k', 1)).toMatchObject({ status: 'saved' })
  await world.mover.records?.unmarkMoved(['workflows', 'completions'])
  expect(await world.host.health('workflows')).toEqual({ status: 'ok' })
  expect(await world.host.completions.save(completion)).toMatchObject({ status: 'created' })
  expect(world.warnings).toEqual([])
})

test('[C-ROUTE-16] what an outage kept for a store that moved away meanwhile stays, is told of, and stops no other', async () => {
  await using world = await openWorld()
  const { hostState, workflows, completions } = world.host
  await world.proxy.refuse()
  expect(await hostState.save('k', 1)).toMatchObject({ journaled: true })
  await world.mover.records?.markMoved(away('hostState'))
  await world.proxy.pass()
  await vi.waitFor(() => expect(workflows.list()).resolves.toMatchObject({ items: [] }), { timeout: 10_000 })
  await expect(hostState.save('k', 2)).rejects.toMatchObject(gone)
  expect(await world.host.health('hostState')).toMatchObject({ status: 'down', movedTo: 'filesystem' })
  expect(await world.host.health('workflows')).toEqual({ status: 'ok' })
  expect(await world.journal()).toBe(1)
  expect(world.warnings).toEqual([expect.stringContaining('A backend is down'), 'The journal cannot be replayed'])
  await expect(completions.save(completion)).rejects.toMatchObject(gone)
})
