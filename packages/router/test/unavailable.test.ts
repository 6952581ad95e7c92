import { rm } from 'node:fs/promises'
import { type Backend, type BackendContext, isStoreError, readConfig, StoreError } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { createFakes, openMemoryBackend } from '@nexus/testkit'
import { startCluster } from '@nexus/testkit/postgres'
import { expect, test, vi } from 'vitest'
import { freshRoot } from '../../fs-backend/test/harness.ts'
import { openRouter, type Registry, storageMap, storageMapText } from '../src/index.ts'

const mixed = { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_HOST_STATE_BACKEND: 'filesystem' }

const registry = (context: BackendContext): Registry => ({
  filesystem: ({ dir }) => openFsBackend({ root: dir, ...context }),
  postgres: ({ dsn }) => openPgBackend({ dsn: dsn ?? '', ...context }),
})

const task = { project: 'shop', filename: 'cart.md', markdown: 'The cart forgets.' }

const expectUnavailable = async (call: Promise<unknown>): Promise<void> => {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(isStoreError(error, 'unavailable'), String(error)).toBe(true)
  expect(String(error)).not.toContain('canary')
}

const expectDown = async (router: Backend): Promise<void> => {
  await expectUnavailable(router.inbox.enqueue([task]))
  await expectUnavailable(router.workflows.list())
  await expectUnavailable(router.completions.scan())
  await expectUnavailable(router.taskFiles.load('shop', 'cart.md'))
  expect(await router.hostState.save('while-down', 1)).toMatchObject({ status: 'saved' })
  expect(await router.health('inbox')).toMatchObject({ status: 'down' })
  expect(await router.health('hostState')).toEqual({ status: 'ok' })
}

const untilUp = (router: Backend): Promise<void> =>
  vi.waitFor(async () => expect(await router.health('inbox')).toEqual({ status: 'ok' }), { timeout: 10_000 })

test('[C-ROUTE-7] postgres down at start and later: its stores answer unavailable, files go on, and all recover by themselves', async () => {
  const root = await freshRoot()
  await using cluster = await startCluster({ password: 'canary' })
  await cluster.stop()
  const { context } = createFakes()
  const config = readConfig({ ...mixed, NEXUS_STORAGE_DSN: cluster.dsn, NEXUS_DIR: root })
  await using router = await openRouter({ config, registry: registry(context), context })
  await expectDown(router)

  await cluster.start()
  await untilUp(router)
  expect(await router.inbox.enqueue([task])).toMatchObject([{ status: 'enqueued' }])

  await cluster.stop()
  await expectDown(router)
  await cluster.start()
  await untilUp(router)
  expect(await router.inbox.enqueue([task])).toMatchObject([{ status: 'duplicate' }])
  await rm(root, { recursive: true, force: true })
})

test('[C-ROUTE-7] only `unavailable` is survived at start: what the operator must mend ends it, and what was opened is closed', async () => {
  const { context } = createFakes()
  const files = openMemoryBackend(context)
  const config = readConfig({ NEXUS_INBOX_BACKEND: 'postgres', NEXUS_STORAGE_DSN: 'postgresql://db.example/nexus' })
  const refuse = new StoreError({ code: 'unsupported', message: 'The database is newer than this program.' })
  const opened = openRouter({
    config,
    context,
    registry: { filesystem: async () => files, postgres: () => Promise.reject(refuse) },
  })
  await expect(opened).rejects.toBe(refuse)
  await expect(files.hostState.keys()).rejects.toMatchObject({ code: 'closed' })
})

test('[C-ROUTE-2] the storage map says where each store lives, which variable decided, and how it is', async () => {
  const { context } = createFakes()
  const config = readConfig({ ...mixed, NEXUS_STORAGE_DSN: 'postgresql://user:canary@db.example/nexus' })
  await using router = await openRouter({
    config,
    context,
    registry: {
      filesystem: async () => openMemoryBackend(context),
      postgres: () => Promise.reject(new StoreError({ code: 'unavailable', message: 'db.example does not answer.' })),
    },
  })
  const lines = storageMapText(await storageMap(config, router)).split('\n')
  expect(lines).toHaveLength(6)
  expect(lines[0]).toMatch(/^store +backend +decided by +health$/)
  expect(lines[3]).toMatch(/^hostState +filesystem +NEXUS_HOST_STATE_BACKEND +ok$/)
  expect(lines[5]).toMatch(/^inbox +postgres +NEXUS_STORAGE_BACKEND +down since .*: db.example does not answer\.$/)
  expect(lines.join()).not.toContain('canary')
})
