import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, type InboxStore, type ReportedCompletion } from '@nexus/core'
import { openMailbox } from '@nexus/fs-backend'
import { createFakes, createMemoryData, openMemoryBackend } from '@nexus/testkit'
import { describe, expect, test } from 'vitest'
import { readHostConfig } from '../src/config/read.ts'
import { makePlace } from '../src/demo/place.ts'
import { createCollector } from '../src/intake/collector.ts'
import { createWorkspaceMailbox } from '../src/intake/workspace-mailbox.ts'
import { makeRoot } from '../src/root-folder.ts'
import { createEndWatch } from '../src/runner/end-watch.ts'
import type { RunState } from '../src/runner/observe.ts'
import { agentPath, useBench } from './host-harness.ts'
import { until } from './until.ts'

describe('what goes wrong around a chain', () => {
  const bench = useBench()
  const enqueue = (markdown: string, maxAttempts = 1) =>
    bench().stores.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown, maxAttempts }])

  test('tracked issues that are not JSON stop no task that names no number, and stay as they are', async () => {
    const t = bench()
    await t.configure({ triage: `node ${agentPath('by-post.mjs')}` })
    t.data.hostState.set('tracked_issues', { text: '{"cut', updatedAt: new Date() })
    await enqueue('text')
    expect(await t.once()).toBe('done')
    expect(t.data.hostState.get('tracked_issues')?.text).toBe('{"cut')
  })

  test('an agent that says it is blocked and never ends is stopped, and its task waits for a person', async () => {
    const t = bench()
    await t.configure({ triage: `node ${agentPath('by-post.mjs')} status=blocked summary=why; exec sleep 600` })
    await enqueue('**Issue:** 7')
    expect(await t.once()).toBe('failed')
    expect(await t.stores.workflows.load('shop-7-feature')).toMatchObject({ state: 'paused' })
    const [run] = await t.runner.list()
    expect(await t.runner.observe(run ?? '')).toMatchObject({ status: 'ended' })
  })

  describe('a cancel that no heartbeat tells of ends the workflow too', () => {
    const blocked = async () => {
      const t = bench()
      await t.configure({ triage: `node ${agentPath('by-post.mjs')} status=blocked summary=why` })
      await enqueue('**Issue:** 7')
      return t
    }
    const workflow = async () => (await bench().stores.workflows.load('shop-7-feature'))?.state
    const tracked = async () => (await bench().stores.hostState.load('tracked_issues'))?.value

    test('since it met the release of its task', async () => {
      const t = await blocked()
      const { inbox } = t.stores
      const release: InboxStore['release'] = async (claim, options) => {
        await inbox.cancel(claim.id)
        return inbox.release(claim, options)
      }
      const host = await t.open({
        stores: { ...t.stores, inbox: { ...inbox, release } },
        timing: { heartbeatMs: 60_000 },
      })
      expect(await t.once(host)).toBe('failed')
      expect(await workflow()).toBe('cancelled')
      expect(await tracked()).toMatchObject({ 7: { status: 'cancelled' } })
    })

    /** A paused workflow whose task was cancelled while somebody held it who is gone. */
    const cancelledHold = async (leaseMs: number) => {
      const t = await blocked()
      expect(await t.once()).toBe('failed')
      const [task] = await until('the task to be due', async () => {
        const tasks = await t.stores.inbox.claim({ worker: 'w2', limit: 1, leaseMs })
        return tasks.length > 0 ? tasks : null
      })
      expect(await t.stores.inbox.cancel(task?.id ?? '')).toEqual({ status: 'requested' })
      return t
    }

    test('since its holder was gone when the next host came', async () => {
      const t = await cancelledHold(60_000)
      await t.once()
      expect(await workflow()).toBe('cancelled')
    })

    test('since its holder was gone for longer than its lease', async () => {
      const t = await cancelledHold(1)
      const inbox = { ...t.stores.inbox, resume: async () => [] }
      const host = await t.open({ stores: { ...t.stores, inbox }, timing: { sweepMs: 10 } })
      const ending = new AbortController()
      const ended = host.run({ once: false, signal: ending.signal })
      await until('the end of the workflow', async () => (await workflow()) === 'cancelled', 5_000)
      ending.abort()
      await ended
    })
  })

  test('a summary that cannot be read is named in the failure, and warned of once', async () => {
    const t = bench()
    const half = `mkdir -p "$(dirname $NEXUS_COMPLETION_FILE)"; printf '{"summary": ' > $NEXUS_COMPLETION_FILE`
    await t.configure({ triage: half })
    await enqueue('**Issue:** 7')
    expect(await t.once()).toBe('failed')
    const [task] = (await t.stores.inbox.list()).items
    expect(task?.error).toContain('without a report; its summary file cannot be read: The report is not JSON')
    const warnings = t.log.filter(({ level, fields }) => level === 'warn' && 'path' in fields)
    expect(warnings).toHaveLength(1)
  })
})

test('a summary that can be read takes back what was said of an unreadable one in its place', async () => {
  const path = '/root/completion_summary_7.json'
  const report: ReportedCompletion = {
    issueNumber: '7',
    agentType: 'triage',
    status: 'complete',
    summary: 'done',
    payload: {},
    attemptId: null,
  }
  const result = { status: 'created', dedupKey: '7:triage:complete' } as const
  const nothing = { imported: [], rejected: [], waiting: 0 }
  const found = [
    { ...nothing, rejected: [{ path, reason: 'not JSON' }] },
    nothing,
    { ...nothing, imported: [{ path, report, result }] },
  ]
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const { collect, whyUnreadable } = createCollector({
    completions: { save: async () => result },
    mailboxes: () => [{ collect: async () => found.shift() ?? nothing, async *watch() {} }],
    logger: silent,
    onImported() {},
    onRejected() {},
  })
  await collect()
  await collect()
  expect(whyUnreadable(path)).toBe('not JSON')
  await collect()
  expect(whyUnreadable(path)).toBeNull()
})

test('a mailbox of agents that cannot be looked into holds up no other, and is told of once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-mailbox-'))
  const { context } = createFakes()
  const warnings: string[] = []
  const logger = { ...context.logger, warn: (message: string) => void warnings.push(message) }
  const opened = { ...context, logger }
  const own = await openMailbox({ root: join(folder, 'own'), ...opened })
  const broken = join(folder, 'workspace', '.nexus')
  const summaries = join(broken, 'tasks', 'shop', 'completions')
  await mkdir(summaries, { recursive: true })
  await writeFile(join(summaries, '.seen'), 'a file where a folder belongs')
  await writeFile(join(summaries, 'completion_summary_8.json'), JSON.stringify({ agent_type: 'triage', summary: 's' }))
  const path = own.file('shop', '7')
  await writeFile(path, JSON.stringify({ agent_type: 'triage', summary: 'seen' }))
  const stores = openMemoryBackend(context, createMemoryData())
  const imported: string[] = []
  const mailboxes = [createWorkspaceMailbox(broken, () => openMailbox({ root: broken, ...opened }), 10), own]
  const collector = createCollector({
    completions: stores.completions,
    mailboxes: () => mailboxes,
    logger,
    onImported: (drop) => imported.push(drop.path),
    onRejected() {},
  })
  expect(await collector.collect()).toEqual({ waiting: 1 })
  await collector.collect()
  expect(imported).toEqual([path])
  expect(warnings).toHaveLength(1)
  await rm(folder, { recursive: true })
})

test('a run that cannot be observed is told of once, and its end when it can be again', async () => {
  const runsFolder = await mkdtemp(join(tmpdir(), 'nexus-runs-'))
  const exit = { code: 0, signal: null, reason: 'exited', endedAt: '' } as const
  const errors: string[] = []
  let looks = 0
  const watch = createEndWatch({
    runsFolder,
    pollMs: 5,
    observe: async (): Promise<RunState> => {
      looks += 1
      if (looks < 5) throw new Error('the disk is full')
      return { status: 'ended', exit }
    },
    onError: (attempt) => errors.push(attempt),
  })
  expect(await watch.endOf('at-1', AbortSignal.timeout(5_000))).toEqual(exit)
  expect(errors).toEqual(['at-1'])
  watch.close()
  await rm(runsFolder, { recursive: true })
})

test("a demonstration with one's own agent hands it what it signs in with, and nothing else", async () => {
  const dir = await mkdtemp(join(tmpdir(), 'nexus-demo-'))
  const env = { SOME_API_KEY: 'k', HTTPS_PROXY: 'p', SECRET: 's' }
  const request = { dir, kept: false, env, now: new Date() }
  const own = readHostConfig((await makePlace({ ...request, agent: 'claude -p' })).config)
  expect(own.agents.get('reviewer')).toMatchObject({ command: 'claude -p', env: ['SOME_API_KEY', 'HTTPS_PROXY'] })
  const bundled = readHostConfig((await makePlace({ ...request, agent: undefined })).config)
  expect(bundled.agents.get('reviewer')?.env).toEqual([])
  await rm(dir, { recursive: true })
})

test('a root that is a file is answered with the folder, the reason and the variable to set', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-root-'))
  await writeFile(join(folder, 'file'), '')
  const refusal = makeRoot(join(folder, 'file', 'root'))
  await expect(refusal).rejects.toThrow(/file\/root cannot be used \(ENOTDIR\).*NEXUS_DIR/)
  await expect(refusal).rejects.toBeInstanceOf(ConfigError)
  await expect(makeRoot(join(folder, 'file'))).rejects.toThrow('cannot be used (EEXIST)')
  await expect(makeRoot('/proc/nexus')).rejects.toThrow(/cannot be used \(ENOENT\).*NEXUS_DIR/)
  await rm(folder, { recursive: true })
})
