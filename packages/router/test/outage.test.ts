import { rm } from 'node:fs/promises'
import { type Backend, type BackendContext, type LogFields, readConfig } from '@nexus/core'
import { openFsBackend, openJournalFiles } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { createFakes } from '@nexus/testkit'
import { freshDatabase } from '@nexus/testkit/postgres'
import { startTcpProxy, type TcpProxy } from '@nexus/testkit/postgres/proxy'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { describe, expect, test, vi } from 'vitest'
import { freshRoot } from '../../fs-backend/test/harness.ts'
import { openRouter } from '../src/index.ts'

interface Line {
  level: string
  message: string
  fields: LogFields
}

interface Host {
  stores: Backend
  lines: Line[]
}

interface World extends AsyncDisposable {
  proxy: TcpProxy
  /** Opens one more host: on the root and by the proxy, unless it says otherwise. */
  open(where?: { root?: string; dsn?: string; maxConnections?: number }): Promise<Host>
  otherRoot(): Promise<string>
  dsn: string
}

const recording = (context: BackendContext, lines: Line[]): BackendContext => {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      // The private server is not a durable one, and its backend says so.
      if (!('off' in fields)) lines.push({ level, message, fields })
    }
  return { ...context, logger: { debug() {}, info: at('info'), warn: at('warn'), error: at('error') } }
}

const openWorld = async (): Promise<World> => {
  const { context } = createFakes()
  const database = await freshDatabase(await testDsn())
  await (await openPgBackend({ dsn: database.dsn, ...context }))[Symbol.asyncDispose]()
  const proxy = await startTcpProxy(database.dsn)
  const roots = [await freshRoot()]
  const hosts: Backend[] = []
  return {
    proxy,
    dsn: database.dsn,
    async otherRoot() {
      const root = await freshRoot()
      roots.push(root)
      return root
    },
    async open({ root = roots[0] ?? '', dsn = proxy.dsn, maxConnections = 4 } = {}) {
      const lines: Line[] = []
      const stores = await openRouter({
        config: readConfig({ NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: dsn, NEXUS_DIR: root }),
        context: recording(context, lines),
        registry: {
          filesystem: ({ dir }, own) => openFsBackend({ root: dir, ...own }),
          postgres: (_, own) => openPgBackend({ dsn, maxConnections, ...own }),
        },
        journal: ({ dir }, own) => openJournalFiles({ root: dir, ...own }),
        probeMs: 100,
      })
      hosts.push(stores)
      return { stores, lines }
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts) await host[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      for (const root of roots) await rm(root, { recursive: true, force: true })
    },
  }
}

const report = { project: 'shop', issueNumber: '7', agentType: 'developer', status: 'complete' as const }
const completion = { ...report, summary: 'done', payload: { files: 2 }, reportId: 'attempt-1' }

const backInUse = ({ stores }: Host): Promise<void> =>
  vi.waitFor(async () => expect((await stores.completions.scan()).stale).toBeUndefined(), { timeout: 10_000 })

const notApplied = { code: 'unavailable', outcome: 'not-applied' }

describe('while Postgres is down', () => {
  test('[C-ROUTE-9] plain writes are journaled, reads give what is known, and afterwards all of it is in Postgres', async () => {
    await using world = await openWorld()
    const host = await world.open()
    const { hostState, completions } = host.stores
    await hostState.save('agents', { a: 1 })
    await world.proxy.refuse()
    expect(await hostState.load('agents')).toMatchObject({ value: { a: 1 }, stale: true })
    expect(await hostState.patch('agents', { entries: { b: 2 } })).toMatchObject({ status: 'saved', journaled: true })
    expect(await hostState.save('new', [1])).toMatchObject({ status: 'saved', journaled: true })
    expect(await completions.save(completion)).toEqual({
      status: 'created',
      dedupKey: '7:developer:complete',
      journaled: true,
    })
    expect(await completions.save(completion)).toMatchObject({ status: 'unchanged' })
    expect(await completions.save({ ...completion, reportId: 'attempt-2' })).toMatchObject({ status: 'updated' })
    expect(await hostState.load('agents')).toMatchObject({ value: { a: 1, b: 2 }, stale: true })
    expect(await hostState.keys()).toMatchObject({ items: ['agents', 'new'], stale: true })
    expect(await completions.scan()).toMatchObject({ items: [{ ...report, reportId: 'attempt-2' }], stale: true })
    expect(await completions.history('7', { project: 'other' })).toMatchObject({ items: [], stale: true })
    await world.proxy.pass()
    await backInUse(host)
    const direct = await world.open({ dsn: world.dsn, root: await world.otherRoot() })
    expect((await direct.stores.hostState.load('agents'))?.value).toEqual({ a: 1, b: 2 })
    expect((await direct.stores.hostState.load('new'))?.value).toEqual([1])
    expect((await direct.stores.completions.history('7')).items).toMatchObject([{ reportId: 'attempt-2' }])
    expect(await hostState.load('agents')).not.toHaveProperty('stale')
  })

  test('[C-ROUTE-7, C-ROUTE-9] what two places cannot promise, and what nobody saw, is refused at once', async () => {
    await using world = await openWorld()
    const { stores } = await world.open()
    const { rev } = { rev: '', ...(await stores.hostState.save('list', [1])) }
    await world.proxy.refuse()
    await stores.hostState.save('list', [2])
    await expect(stores.hostState.load('unseen')).rejects.toMatchObject(notApplied)
    await expect(stores.hostState.patch('unseen', { entries: { a: 1 } })).rejects.toMatchObject(notApplied)
    await expect(stores.hostState.save('list', [3], { ifRev: rev })).rejects.toMatchObject(notApplied)
    await expect(stores.hostState.save('list', [3], { ifRev: null })).rejects.toMatchObject(notApplied)
    await expect(stores.hostState.update('list', () => 1)).rejects.toMatchObject(notApplied)
    await expect(stores.hostState.delete('list')).rejects.toMatchObject(notApplied)
    await expect(stores.completions.assign('7:developer:complete', 'shop')).rejects.toMatchObject(notApplied)
    await expect(stores.completions.delete('7:developer:complete')).rejects.toMatchObject(notApplied)
    await expect(stores.inbox.counts()).rejects.toMatchObject(notApplied)
    await expect(stores.workflows.load('shop-7-dev')).rejects.toMatchObject(notApplied)
    await expect(stores.taskFiles.list()).rejects.toMatchObject(notApplied)
    await expect(stores.hostState.save('../up', 1)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(stores.completions.save({ ...completion, issueNumber: '7:8' })).rejects.toMatchObject(notApplied)
    expect(await stores.hostState.patch('list', { entries: { a: 1 } })).toMatchObject({ status: 'not-object' })
    expect((await stores.hostState.load('list'))?.value).toEqual([2])
  })

  test('[C-ROUTE-9, C-ROUTE-11] every process of the root sees what one of them wrote, also one that can reach Postgres', async () => {
    await using world = await openWorld()
    const cut = await world.open()
    const fine = await world.open({ dsn: world.dsn })
    await cut.stores.hostState.save('agents', { a: 1 })
    await world.proxy.refuse()
    await cut.stores.hostState.patch('agents', { entries: { a: 2 } })
    await cut.stores.completions.save(completion)
    // It has not seen the key itself, and it is the one that replays.
    const seen = await fine.stores.hostState.load('agents')
    expect(seen?.value).toEqual({ a: 2 })
    await backInUse(fine)
    expect(await fine.stores.hostState.load('agents')).toMatchObject({ value: { a: 2 } })
    expect((await fine.stores.completions.scan()).items).toHaveLength(1)
    // The one that is still cut goes on from what it wrote, though another replayed it and ended that outage.
    expect(await cut.stores.hostState.load('agents')).toMatchObject({ value: { a: 2 }, stale: true })
    await cut.stores.hostState.patch('agents', { entries: { a: 3 } })
    await vi.waitFor(async () => expect((await fine.stores.hostState.load('agents'))?.value).toEqual({ a: 3 }))
    await backInUse(fine)
    expect((await fine.stores.operations?.conflicts())?.items).toEqual([])
    expect((await fine.stores.hostState.load('agents'))?.value).toEqual({ a: 3 })
  })

  test('[C-ROUTE-9] a list is read to its end in one outage, each record once, and never goes on elsewhere', async () => {
    await using world = await openWorld()
    const host = await world.open()
    const { completions } = host.stores
    for (const issueNumber of ['1', '2', '3']) await completions.save({ ...completion, issueNumber })
    const before = await completions.scan({ limit: 2 })
    await world.proxy.refuse()
    for (const issueNumber of ['4', '5', '6']) await completions.save({ ...completion, issueNumber })
    const cursor = before.cursor ?? ''
    await expect(completions.scan({ cursor })).rejects.toMatchObject({ code: 'unavailable' })
    const first = await completions.scan({ limit: 2 })
    await completions.save({ ...completion, issueNumber: '7' })
    const second = await completions.scan({ limit: 2, cursor: first.cursor ?? '' })
    expect([...first.items, ...second.items].map(({ issueNumber }) => issueNumber)).toEqual(['6', '5', '4'])
    await world.proxy.pass()
    await vi.waitFor(async () => expect((await completions.scan()).stale).toBeUndefined(), { timeout: 10_000 })
    await expect(completions.scan({ cursor: first.cursor ?? '' })).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('[C-ROUTE-7, C-ROUTE-9] from its start on: a host without Postgres works what can be worked and recovers', async () => {
    await using world = await openWorld()
    await world.proxy.refuse()
    const host = await world.open()
    expect(await host.stores.health('inbox')).toMatchObject({ status: 'down' })
    expect(await host.stores.hostState.save('fresh', { a: 1 })).toMatchObject({ journaled: true })
    expect(await host.stores.hostState.load('fresh')).toMatchObject({ value: { a: 1 } })
    await expect(host.stores.hostState.load('unseen')).rejects.toMatchObject(notApplied)
    await world.proxy.pass()
    await backInUse(host)
    expect(await host.stores.health('inbox')).toEqual({ status: 'ok' })
    expect((await host.stores.hostState.load('fresh'))?.value).toEqual({ a: 1 })
    expect(await host.stores.hostState.load('unseen')).toBeNull()
  })

  test('[C-ROUTE-12] what a killed host left in the journal is applied before the next one uses Postgres', async () => {
    await using world = await openWorld()
    const first = await world.open()
    await first.stores.hostState.save('agents', { a: 1 })
    await world.proxy.refuse()
    await first.stores.hostState.save('agents', { a: 2 })
    await first.stores[Symbol.asyncDispose]()
    await world.proxy.pass()
    const next = await world.open()
    expect((await next.stores.hostState.load('agents'))?.value).toEqual({ a: 2 })
    await backInUse(next)
    expect(await next.stores.hostState.load('agents')).toMatchObject({ value: { a: 2 } })
  })

  test('[C-ROUTE-14] a network that swallows everything: the first call goes to the journal, later ones do not ask it again', async () => {
    await using world = await openWorld()
    const host = await world.open()
    const { hostState, inbox } = host.stores
    await hostState.save('agents', { a: 1 })
    world.proxy.drop()
    expect(await hostState.save('agents', { a: 2 })).toMatchObject({ journaled: true })
    const asked = host.lines.length
    expect(await hostState.patch('agents', { entries: { b: 1 } })).toMatchObject({ journaled: true })
    await expect(inbox.counts()).rejects.toMatchObject(notApplied)
    expect(host.lines).toHaveLength(asked)
    await world.proxy.pass()
    await backInUse(host)
    expect((await hostState.load('agents'))?.value).toEqual({ a: 2, b: 1 })
  })

  test('[C-ROUTE-15] one warning says that it began, one line that it is over', async () => {
    await using world = await openWorld()
    const host = await world.open()
    await host.stores.hostState.save('agents', { a: 1 })
    await world.proxy.refuse()
    for (let n = 0; n < 5; n++) await host.stores.hostState.patch('agents', { entries: { n } })
    await expect(host.stores.inbox.counts()).rejects.toMatchObject(notApplied)
    await world.proxy.pass()
    await backInUse(host)
    await host.stores.inbox.counts()
    expect(host.lines.map(({ level }) => level)).toEqual(['warn', 'info'])
    expect(host.lines[0]?.fields).toMatchObject({
      journaled: 'completions, hostState',
      waiting: 'workflows, taskFiles, inbox',
      cause: expect.stringContaining('ECONN'),
      since: expect.stringMatching(/^\d{4}-/),
      journal: expect.stringContaining('.journal'),
    })
    expect(host.lines[1]?.fields).toMatchObject({ replayed: 5, conflicts: 0, seconds: expect.any(Number) })
  })
})

describe('what is no outage', () => {
  test('[C-ROUTE-7, C-ROUTE-10] a connection that dies under a call costs nothing: it is sent again under its id', async () => {
    await using world = await openWorld()
    const host = await world.open({ maxConnections: 1 })
    await host.stores.hostState.save('agents', { a: 1 })
    for (const side of ['request', 'answer'] as const) {
      world.proxy.cutAt({ side, bytes: 10, how: 'reset' })
      const saved = await host.stores.hostState.save('agents', { side })
      expect(saved).toMatchObject({ status: 'saved' })
      expect(saved).not.toHaveProperty('journaled')
    }
    world.proxy.cutAt({ side: 'answer', bytes: 10, how: 'reset' })
    expect(await host.stores.hostState.load('agents')).toMatchObject({ value: { side: 'answer' } })
    expect(host.lines).toEqual([])
  })

  test('[C-ROUTE-7] a refused value and a pool without a free connection are the caller’s, not the database’s', async () => {
    await using world = await openWorld()
    const host = await world.open({ maxConnections: 1 })
    const { hostState } = host.stores
    await expect(hostState.save('../up', 1)).rejects.toMatchObject({ code: 'invalid' })
    await hostState.save('agents', { a: 1 })
    world.proxy.cutAt({ side: 'answer', bytes: 0, how: 'silent' })
    const first = hostState.update('agents', () => ({ a: 2 }))
    const behind = hostState.keys().catch(() => undefined)
    await expect(first).rejects.toMatchObject({ code: 'unavailable' })
    await behind
    expect(host.lines).toEqual([])
    expect(await hostState.load('agents')).not.toHaveProperty('stale')
  })
})

describe('conflicts', () => {
  test('[C-ROUTE-13] members that another host changed meanwhile are kept with both values; the others apply', async () => {
    await using world = await openWorld()
    const cut = await world.open()
    const other = await world.open({ root: await world.otherRoot(), dsn: world.dsn })
    await cut.stores.hostState.save('agents', { a: 1, b: 1 })
    await world.proxy.refuse()
    await cut.stores.hostState.patch('agents', { entries: { a: 'ours', b: 'ours' } })
    await other.stores.hostState.patch('agents', { entries: { a: 'theirs', c: 'theirs' } })
    await world.proxy.pass()
    await backInUse(cut)
    expect((await cut.stores.hostState.load('agents'))?.value).toEqual({ a: 'theirs', b: 'ours', c: 'theirs' })
    await using direct = await openPgBackend({ dsn: world.dsn, ...createFakes().context })
    const { operations } = direct
    const conflicts = (await operations?.conflicts())?.items ?? []
    expect(conflicts).toMatchObject([{ key: 'agents', member: 'a', base: 1, ours: 'ours', theirs: 'theirs' }])
    await operations?.resolve(conflicts[0]?.id ?? '', 'ours')
    expect((await cut.stores.hostState.load('agents'))?.value).toMatchObject({ a: 'ours' })
    expect((await operations?.conflicts())?.items).toEqual([])
  })
})
