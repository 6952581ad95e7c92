import type { Logger } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { startCluster } from '@nexus/testkit/postgres'
import { expect, test } from 'vitest'
import { openPgBackend } from '../src/backend.ts'
import { type PgHarness, usePostgres } from './harness.ts'

const open = usePostgres()

const listeners = async ({ sql }: PgHarness): Promise<number[]> => {
  const { rows } = await sql.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'nexus-listen'`,
  )
  return rows.map(({ pid }) => pid)
}

const untilGone = async (t: PgHarness): Promise<void> => {
  while ((await listeners(t)).length > 0);
}

const watch = (t: PgHarness, signal: AbortSignal) => t.backend.inbox.watch(signal)[Symbol.asyncIterator]()

test('[C-INBOX-19] tasks of ours and of other programs are hinted at by their project', async () => {
  await using t = await open()
  const peer = await t.peer()
  const stop = new AbortController()
  const hints = watch(t, stop.signal)
  expect((await hints.next()).value).toEqual({ project: null })
  await t.foreign.insertInboxTask({ project: 'gemini', filename: 'a.md', markdown: '' })
  expect((await hints.next()).value).toEqual({ project: 'gemini' })
  await peer.inbox.enqueue([{ project: 'apollo', filename: 'a.md', markdown: '' }])
  expect((await hints.next()).value).toEqual({ project: 'apollo' })
  const [claimed] = await peer.inbox.claim({ worker: 'w', leaseMs: 1000, limit: 1, projects: ['apollo'] })
  if (claimed) await peer.inbox.release(claimed.claim)
  expect((await hints.next()).value).toEqual({ project: 'apollo' })
  stop.abort()
  expect((await hints.next()).done).toBe(true)
})

test('[C-INBOX-19] a watch whose connection is cut listens again, and says that it may have missed something', async () => {
  await using t = await open()
  const hints = watch(t, AbortSignal.timeout(20_000))
  await hints.next()
  const [pid] = await listeners(t)
  await t.sql.query('SELECT pg_terminate_backend($1)', [pid])
  expect((await hints.next()).value).toEqual({ project: null })
  expect(await listeners(t)).not.toContain(pid)
  await t.foreign.insertInboxTask({ project: 'gemini', filename: 'a.md', markdown: '' })
  expect((await hints.next()).value).toEqual({ project: 'gemini' })
  await hints.return?.()
})

test('[C-INBOX-19] no connection is left when the signal aborts, the loop ends or the backend closes', async () => {
  await using t = await open()
  const stop = new AbortController()
  await watch(t, stop.signal).next()
  expect(await listeners(t)).toHaveLength(1)
  stop.abort()
  await untilGone(t)

  for await (const hint of t.backend.inbox.watch(new AbortController().signal)) {
    expect(hint).toEqual({ project: null })
    break
  }
  await untilGone(t)

  const peer = await t.peer()
  const hints = peer.inbox.watch(new AbortController().signal)[Symbol.asyncIterator]()
  await hints.next()
  await peer[Symbol.asyncDispose]()
  expect(await listeners(t)).toEqual([])
  expect((await hints.next()).done).toBe(true)
})

test('[C-INBOX-19] where LISTEN hears nothing, as behind a pooler, that is said once and it polls', async () => {
  await using t = await open()
  await using elsewhere = await open()
  let warned: (reason: unknown) => void = () => {}
  const warning = new Promise<unknown>((resolve) => {
    warned = resolve
  })
  const { context } = createFakes()
  const logger: Logger = { ...context.logger, warn: (_, fields) => fields?.['pollMs'] && warned(fields['reason']) }
  await using backend = await openPgBackend({ ...context, logger, dsn: t.dsn, listenDsn: elsewhere.dsn })
  const hints = backend.inbox.watch(AbortSignal.timeout(20_000))[Symbol.asyncIterator]()
  expect(await warning).toMatch(/pooler/)
  expect((await hints.next()).value).toEqual({ project: null })
})

const recording = (warnings: string[]): Logger => {
  const { logger } = createFakes().context
  return { ...logger, warn: (message) => warnings.push(message) }
}

test('[C-ROUTE-15] a watch says nothing of a database that is away, and hints again when it is back', async () => {
  await using cluster = await startCluster()
  const warnings: string[] = []
  const { context } = createFakes()
  await using backend = await openPgBackend({ ...context, logger: recording(warnings), dsn: cluster.dsn })
  const hints = backend.inbox.watch(AbortSignal.timeout(40_000))[Symbol.asyncIterator]()
  await hints.next()
  warnings.length = 0
  await cluster.kill()
  expect((await hints.next()).value).toEqual({ project: null })
  await cluster.start()
  expect((await hints.next()).value).toEqual({ project: null })
  expect(warnings).toEqual([])
})

test('[C-INBOX-19] a way to listen that is closed while the database serves is warned of once', async () => {
  await using t = await open()
  const warnings: string[] = []
  const { context } = createFakes()
  const listenDsn = 'postgresql://nobody:none@127.0.0.1:1/nowhere'
  await using backend = await openPgBackend({ ...context, logger: recording(warnings), dsn: t.dsn, listenDsn })
  const hints = backend.inbox.watch(AbortSignal.timeout(20_000))[Symbol.asyncIterator]()
  for (const _ of [1, 2, 3]) expect((await hints.next()).value).toEqual({ project: null })
  expect(warnings.filter((warning) => warning.startsWith('New tasks'))).toHaveLength(1)
})
