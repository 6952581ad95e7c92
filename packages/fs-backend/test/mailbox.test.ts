import { chmod, chown, mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Backend, type CompletionInput, type LogFields, type Mailbox, StoreError } from '@nexus/core'
import { createFakes, type FakeClock, openMemoryBackend } from '@nexus/testkit'
import { expect, test } from 'vitest'
import { openFsBackend, openMailbox } from '../src/index.ts'
import { freshRoot } from './harness.ts'

interface Setting {
  root: string
  clock: FakeClock
  backend: Backend
  mailbox: Mailbox
  again(): Promise<{ backend: Backend; mailbox: Mailbox }>
  drop(issueNumber: string, text: string): Promise<string>
  /** The paths that were warned of. */
  warnings(): string[]
}

const report = { agent_type: 'developer', summary: 'Done', extra: [1] }

const inSetting = async (work: (setting: Setting) => Promise<void>): Promise<void> => {
  const root = await freshRoot()
  const { clock, context: fakes } = createFakes()
  const told: string[] = []
  const logger = {
    ...fakes.logger,
    warn: (_: string, fields: LogFields = {}) => void told.push(String(fields['path'])),
  }
  const context = { ...fakes, logger }
  const again = async () => ({
    backend: await openFsBackend({ root, ...context }),
    mailbox: await openMailbox({ root, ...context }),
  })
  const { backend, mailbox } = await again()
  const drop = async (issueNumber: string, text: string): Promise<string> => {
    const path = mailbox.file('alpha', issueNumber)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
    return path
  }
  try {
    await work({ root, clock, backend, mailbox, again, drop, warnings: () => told })
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

const completion = (summary: string, extra: Partial<CompletionInput> = {}): CompletionInput => ({
  project: 'alpha',
  issueNumber: '7',
  agentType: 'developer',
  status: 'complete',
  summary,
  payload: { agent_type: 'developer', summary },
  reportId: null,
  ...extra,
})

test('[C-COMPLETION-9] a drop is imported into any completion store, and stays as it is', () =>
  inSetting(async ({ mailbox, drop }) => {
    const store = openMemoryBackend(createFakes().context)
    const path = await drop('7', JSON.stringify(report))
    const { imported, rejected, waiting } = await mailbox.collect(store.completions)
    expect(imported).toMatchObject([{ path, result: { status: 'created', dedupKey: '7:developer:complete' } }])
    expect([rejected, waiting]).toEqual([[], 0])
    expect(await readFile(path, 'utf8')).toBe(JSON.stringify(report))
    expect((await store.completions.scan()).items).toMatchObject([{ project: 'alpha', payload: report }])
  }))

test('[C-COMPLETION-9] the name of the file is the issue, whatever the report says', () =>
  inSetting(async ({ backend, drop }) => {
    await drop('7', JSON.stringify({ ...report, issue_number: 8 }))
    expect((await backend.completions.scan()).items).toMatchObject([{ issueNumber: '7', payload: { issue_number: 8 } }])
  }))

test('[C-COMPLETION-10] a drop is imported once, also after a restart', () =>
  inSetting(async ({ mailbox, backend, again, drop }) => {
    await drop('7', JSON.stringify(report))
    expect((await mailbox.collect(backend.completions)).imported).toHaveLength(1)
    expect((await mailbox.collect(backend.completions)).imported).toEqual([])
    const next = await again()
    expect((await next.mailbox.collect(next.backend.completions)).imported).toEqual([])
  }))

test('[C-COMPLETION-10] the same words written again later are a new report', () =>
  inSetting(async ({ mailbox, backend, drop }) => {
    await drop('7', JSON.stringify(report))
    await mailbox.collect(backend.completions)
    const path = await drop('7', JSON.stringify(report))
    await utimes(path, new Date(), new Date(Date.now() + 60_000))
    const { imported } = await mailbox.collect(backend.completions)
    expect(imported).toMatchObject([{ result: { status: 'updated' } }])
  }))

test('[C-COMPLETION-10] a crash between import and memory imports it as unchanged', () =>
  inSetting(async ({ root, mailbox, backend, again, drop }) => {
    await drop('7', JSON.stringify(report))
    await mailbox.collect(backend.completions)
    await rm(`${root}/tasks/alpha/completions/.seen`, { recursive: true })
    const next = await again()
    const { imported } = await next.mailbox.collect(next.backend.completions)
    expect(imported).toMatchObject([{ result: { status: 'unchanged' } }])
  }))

test('[C-COMPLETION-11] half a drop waits, and counts when it is whole', () =>
  inSetting(async ({ mailbox, backend, drop }) => {
    const text = JSON.stringify(report)
    await drop('7', text.slice(0, 20))
    expect(await mailbox.collect(backend.completions)).toEqual({ imported: [], rejected: [], waiting: 1 })
    await drop('7', text)
    expect((await mailbox.collect(backend.completions)).imported).toHaveLength(1)
  }))

test('[C-COMPLETION-11] what stays unreadable is rejected once and left in place', () =>
  inSetting(async ({ mailbox, backend, clock, again, drop }) => {
    const path = await drop('7', '{"agent_type": "dev')
    await mailbox.collect(backend.completions)
    clock.advance(60_000)
    const { rejected } = await mailbox.collect(backend.completions)
    expect(rejected).toMatchObject([{ path, reason: expect.stringContaining('not JSON') }])
    expect(await mailbox.collect(backend.completions)).toEqual({ imported: [], rejected: [], waiting: 0 })
    const next = await again()
    expect(await next.mailbox.collect(next.backend.completions)).toEqual({ imported: [], rejected: [], waiting: 0 })
    expect(await readFile(path, 'utf8')).toBe('{"agent_type": "dev')
  }))

test('[C-COMPLETION-11] what is too long for a report is refused for its length, without reading it, and stays', () =>
  inSetting(async ({ mailbox, backend, clock, drop }) => {
    const path = await drop('7', JSON.stringify(report))
    // Sparse: as long as the agent made it, and nothing to read for whoever tries.
    await truncate(path, 100 * 1024 * 1024 * 1024)
    expect(await mailbox.collect(backend.completions)).toEqual({ imported: [], rejected: [], waiting: 1 })
    clock.advance(60_000)
    const { rejected } = await mailbox.collect(backend.completions)
    expect(rejected).toEqual([{ path, reason: 'The report is 107374182400 bytes long; at most 8388608 are taken.' }])
    expect(await mailbox.collect(backend.completions)).toEqual({ imported: [], rejected: [], waiting: 0 })
    await backend.completions.save(completion('posted'))
    expect((await stat(path)).size).toBe(107_374_182_400)
    expect((await backend.completions.history('7')).items).toMatchObject([{ summary: 'posted' }])
  }))

test('[C-COMPLETION-9] a summary under a name that is none is told of once, and read by nobody', () =>
  inSetting(async ({ mailbox, backend, drop, warnings }) => {
    const folder = dirname(await drop('7', JSON.stringify(report)))
    for (const name of ['completion_summary.json', 'Completion-Summary_7.json', 'completion_summary_7.json.tmp'])
      await writeFile(`${folder}/${name}`, JSON.stringify(report))
    expect((await mailbox.collect(backend.completions)).imported).toHaveLength(1)
    await mailbox.collect(backend.completions)
    expect(warnings().sort()).toEqual([`${folder}/Completion-Summary_7.json`, `${folder}/completion_summary.json`])
  }))

test('[C-COMPLETION-12] the mirror shows the latest and is never a report', () =>
  inSetting(async ({ mailbox, backend, again }) => {
    await backend.completions.save(completion('first'))
    await backend.completions.save(completion('second', { status: 'blocked' }))
    const path = mailbox.file('alpha', '7')
    expect(await readFile(path, 'utf8')).toBe(`${JSON.stringify(completion('second').payload, null, 2)}\n`)
    const next = await again()
    expect((await next.mailbox.collect(next.backend.completions)).imported).toEqual([])
    expect((await backend.completions.history('7')).items.map(({ summary }) => summary)).toEqual(['second', 'first'])
  }))

test('[C-COMPLETION-12] an unseen drop is imported before the mirror replaces it', () =>
  inSetting(async ({ backend, drop }) => {
    await drop('7', JSON.stringify({ ...report, agent_type: 'reviewer', summary: 'dropped' }))
    await backend.completions.save(completion('posted'))
    const { items } = await backend.completions.history('7')
    expect(items.map(({ summary }) => summary)).toEqual(['posted', 'dropped'])
  }))

test('[C-COMPLETION-12] an agent’s words over the mirror are its next report', () =>
  inSetting(async ({ backend, clock, drop }) => {
    await backend.completions.save(completion('posted'))
    clock.advance(1000)
    await drop('7', JSON.stringify({ ...report, summary: 'second pass' }))
    expect((await backend.completions.scan()).items).toMatchObject([{ summary: 'second pass' }])
  }))

test('[C-COMPLETION-13] deleting the last record removes the mirror, deleting the latest shows the one before', () =>
  inSetting(async ({ mailbox, backend }) => {
    await backend.completions.save(completion('first'))
    const { dedupKey } = await backend.completions.save(completion('second', { status: 'blocked' }))
    const path = mailbox.file('alpha', '7')
    await backend.completions.delete(dedupKey)
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ summary: 'first' })
    await backend.completions.delete('7:developer:complete')
    expect((await readdir(dirname(path))).filter((name) => !name.startsWith('.'))).toEqual([])
  }))

test('[C-COMPLETION-2] a key that was given up goes to the next project', () =>
  inSetting(async ({ backend }) => {
    await backend.completions.save(completion('alpha’s'))
    await backend.completions.delete('7:developer:complete')
    const taken = await backend.completions.save(completion('beta’s', { project: 'beta' }))
    expect(taken).toEqual({ status: 'created', dedupKey: '7:developer:complete' })
    const back = await backend.completions.save(completion('alpha’s'))
    expect(back).toEqual({ status: 'created', dedupKey: 'alpha/7:developer:complete' })
  }))

test('[C-COMPLETION-9] watch hints at a drop and ends with its signal', () =>
  inSetting(async ({ mailbox, drop }) => {
    const stop = new AbortController()
    const hints = mailbox.watch(stop.signal)[Symbol.asyncIterator]()
    expect((await hints.next()).done).toBe(false)
    const hint = hints.next()
    await drop('7', JSON.stringify(report))
    expect((await hint).done).toBe(false)
    stop.abort()
    while (!(await hints.next()).done);
  }))

/** As a user who is refused what its mode forbids, which root is not. */
const unprivileged = async <T>(root: string, work: () => Promise<T>): Promise<T> => {
  if (process.getuid?.() !== 0) return work()
  const nobody = 65_534
  for (const name of ['', ...(await readdir(root, { recursive: true }))]) await chown(join(root, name), nobody, nobody)
  process.seteuid?.(nobody)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}

test('[C-COMPLETION-11] a summary that this user may not read is refused once, and holds no other up', () =>
  inSetting(async ({ root, mailbox, drop, warnings }) => {
    const store = openMemoryBackend(createFakes().context)
    const path = await drop('7', JSON.stringify(report))
    await drop('8', JSON.stringify(report))
    await chmod(path, 0)
    await unprivileged(root, async () => {
      const first = await mailbox.collect(store.completions)
      expect(first.imported).toMatchObject([{ report: { issueNumber: '8' } }])
      expect(first.rejected).toEqual([{ path, reason: expect.stringContaining('EACCES') }])
      expect((await mailbox.collect(store.completions)).rejected).toEqual([])
      expect(warnings()).toEqual([path])
      await chmod(path, 0o600)
      expect((await mailbox.collect(store.completions)).imported).toMatchObject([{ path }])
    })
  }))

test('[C-COMPLETION-11] a folder that this user may not open is told of once, and holds no other up', () =>
  inSetting(async ({ root, mailbox, drop, warnings }) => {
    const store = openMemoryBackend(createFakes().context)
    await drop('7', JSON.stringify(report))
    const closed = dirname(mailbox.file('beta', '7'))
    await chmod(closed, 0)
    await unprivileged(root, async () => {
      const first = await mailbox.collect(store.completions)
      expect(first.imported).toHaveLength(1)
      expect(first.rejected).toEqual([{ path: closed, reason: expect.stringContaining('EACCES') }])
      expect((await mailbox.collect(store.completions)).rejected).toEqual([])
      expect(warnings()).toEqual([closed])
      await chmod(closed, 0o700)
    })
  }))

test('[C-COMPLETION-9] a store that is not let at its own place is not the fault of a summary', () =>
  inSetting(async ({ mailbox, drop, warnings }) => {
    await drop('7', JSON.stringify(report))
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    const save = () => Promise.reject(new StoreError({ code: 'unavailable', message: 'no', cause: denied }))
    await expect(mailbox.collect({ save })).rejects.toMatchObject({ code: 'unavailable' })
    expect(warnings()).toEqual([])
  }))
