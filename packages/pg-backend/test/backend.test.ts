import { readFileSync } from 'node:fs'
import { silentLogger } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { startCluster } from '@nexus/testkit/postgres'
import { expect, test } from 'vitest'
import { openPgBackend } from '../src/index.ts'
import { usePostgres } from './harness.ts'

const open = usePostgres()

test('[C-ALL-12] a call on a closed backend is refused as closed, and closing twice is closing once', async () => {
  await using t = await open()
  const backend = await t.peer()
  await backend[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
  await expect(backend.hostState.load('a')).rejects.toMatchObject({ code: 'closed' })
  expect(await backend.health('hostState')).toMatchObject({ status: 'down', reason: 'closed' })
})

test('[C-ROUTE-7] health says since when the server is gone, calls are unavailable, and both recover', async () => {
  await using cluster = await startCluster()
  const { context, clock } = createFakes()
  await using backend = await openPgBackend({ dsn: cluster.dsn, ...context })
  await backend.hostState.save('a', 1)
  expect(await backend.health('hostState')).toEqual({ status: 'ok' })
  await cluster.kill()
  const since = clock.now()
  expect(await backend.health('hostState')).toMatchObject({ status: 'down', since })
  clock.advance(5000)
  expect(await backend.health('workflows')).toMatchObject({ status: 'down', since })
  await expect(backend.hostState.save('a', 2)).rejects.toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
  await cluster.start()
  expect(await backend.health('hostState')).toEqual({ status: 'ok' })
  expect(await backend.hostState.load('a')).toMatchObject({ value: 1 })
})

test('[C-ROUTE-7] a server that accepts and does not answer is down', async () => {
  await using cluster = await startCluster()
  const { context } = createFakes()
  await using backend = await openPgBackend({ dsn: cluster.dsn, ...context })
  process.kill(cluster.pid, 'SIGSTOP')
  try {
    expect(await backend.health('hostState')).toMatchObject({ status: 'down', reason: expect.any(String) })
  } finally {
    process.kill(cluster.pid, 'SIGCONT')
  }
  expect(await backend.health('hostState')).toEqual({ status: 'ok' })
})

test('a backend is closed, and its watch with it, though the server is frozen and says no goodbye', async () => {
  await using cluster = await startCluster()
  const { context } = createFakes()
  const backend = await openPgBackend({ dsn: cluster.dsn, ...context })
  await backend.inbox.watch(new AbortController().signal)[Symbol.asyncIterator]().next()
  const children = readFileSync(`/proc/${cluster.pid}/task/${cluster.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number)
  for (const pid of children) process.kill(pid, 'SIGSTOP')
  try {
    await backend[Symbol.asyncDispose]()
  } finally {
    for (const pid of children) process.kill(pid, 'SIGCONT')
  }
})

test('[C-ROUTE-7] health is not mistaken by a pool whose connections are all busy', async () => {
  await using t = await open()
  const { context } = createFakes()
  await using backend = await openPgBackend({ dsn: t.dsn, maxConnections: 1, timeoutMs: 10_000, ...context })
  await t.foreign.insertHostState('a', '1')
  const holder = await t.sql.connect()
  await holder.query('BEGIN; UPDATE nexus_host_state SET updated_at = now()')
  const blocked = backend.hostState.save('a', 2)
  expect(await backend.health('hostState')).toEqual({ status: 'ok' })
  await holder.query('COMMIT')
  holder.release()
  expect(await blocked).toMatchObject({ status: 'saved' })
})

test('[C-ROUTE-5] a server that is not there is unavailable, and the password is not in the error', async () => {
  const { context } = createFakes()
  const dsn = 'postgresql://nexus:canary-secret@127.0.0.1:1/nexus'
  const error: unknown = await openPgBackend({ dsn, ...context, logger: silentLogger }).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
  expect(`${error} ${JSON.stringify(error)}`).not.toContain('canary-secret')
})
