import { writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend, CompletionRecord, Records, StoreName, StoreRecords } from '@nexus/core'
import { createFakes, openMemoryBackend } from '@nexus/testkit'
import { afterEach, expect, test, vi } from 'vitest'
import { openFsBackend, openMailbox } from '../src/index.ts'
import { shortHash } from '../src/layout.ts'
import { createNames } from '../src/records/names.ts'
import { sys } from '../src/syscalls.ts'
import { openTools } from '../src/tools.ts'
import { freshRoot } from './harness.ts'

let root = ''
const open = async (): Promise<Backend> => openFsBackend({ root, ...createFakes().context })
const onRoot = (name: string, work: () => Promise<void>): void =>
  test(name, async () => {
    root = await freshRoot()
    try {
      await work()
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  })
afterEach(() => void vi.restoreAllMocks())

const recordsOf = ({ records }: Backend): Records => {
  if (!records) throw new Error('The backend gives no whole records.')
  return records
}

const at = new Date('2026-03-04T05:06:07.089Z')

const completion = (given: Partial<CompletionRecord> = {}): CompletionRecord => ({
  dedupKey: '7:developer:complete',
  project: 'alpha',
  issueNumber: '7',
  agentType: 'developer',
  status: 'complete',
  summary: 'done',
  reportId: 'attempt-1',
  data: '{"summary":"done","big":12345678901234567890}',
  seq: 5,
  createdAt: at,
  savedAt: at,
  ...given,
})

const readAll = async <S extends StoreName>(backend: Backend, store: S): Promise<StoreRecords[S][]> => {
  const page = await recordsOf(backend).read(store, { limit: 1000 })
  expect(page.corrupt).toEqual([])
  return page.items
}

const folder = (): string => join(root, 'tasks', 'alpha', 'completions')
const summary = (issue: string): string => join(folder(), `completion_summary_${issue}.json`)

onRoot(
  '[C-MOVE-2] completions are written with the summary of the latest, and nobody takes that for a report',
  async () => {
    const backend = await open()
    const older = completion({
      agentType: 'planner',
      dedupKey: '7:planner:complete',
      seq: 4,
      data: '{"summary":"planned"}',
    })
    await recordsOf(backend).write('completions', [completion(), older])
    expect(await readFile(summary('7'), 'utf8')).toBe('{\n  "summary": "done",\n  "big": 12345678901234567000\n}\n')
    const records = await readAll(await open(), 'completions')
    expect(records.map(({ agentType, seq }) => [agentType, seq]).sort()).toEqual([
      ['developer', 5],
      ['planner', 4],
    ])
    const newest = completion({
      agentType: 'tester',
      dedupKey: '7:tester:complete',
      seq: 6,
      data: '{"summary":"tested"}',
    })
    await recordsOf(backend).write('completions', [newest])
    expect(await readFile(summary('7'), 'utf8')).toBe('{\n  "summary": "tested"\n}\n')
    expect(await readAll(await open(), 'completions')).toHaveLength(3)
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  },
)

onRoot('[C-MOVE-1] a report that nobody saw is taken in before a written record’s summary replaces it', async () => {
  await mkdir(folder(), { recursive: true })
  const report = '{"issue_number":"7","agent_type":"tester","status":"complete","summary":"unseen"}'
  await writeFile(summary('7'), report)
  const backend = await open()
  await recordsOf(backend).write('completions', [completion()])
  expect((await readAll(backend, 'completions')).map((record) => record.summary).sort()).toEqual(['done', 'unseen'])
  expect((await backend.completions.history('7')).items.map((item) => item.summary)).toEqual(['unseen', 'done'])
  expect(JSON.parse(await readFile(summary('7'), 'utf8'))).toMatchObject({ summary: 'unseen' })
})

onRoot('[C-MOVE-1] a look at a store that is at home elsewhere leaves the reports of the mailbox there', async () => {
  await mkdir(folder(), { recursive: true })
  await writeFile(summary('7'), '{"issue_number":"7","agent_type":"tester","status":"complete","summary":"unseen"}')
  const { items } = await recordsOf(await open()).read('completions', { limit: 1, takeIn: false })
  expect(items).toEqual([])
  // Nobody has marked it as seen: whoever takes in reports still finds it.
  expect((await readAll(await open(), 'completions')).map(({ summary: said }) => said)).toEqual(['unseen'])
})

onRoot('[C-MOVE-7] a save that was at work when its store moved is not acknowledged', async () => {
  const backend = await open()
  const other = await open()
  const rename = sys.rename
  vi.spyOn(sys, 'rename').mockImplementation(async (from, to) => {
    await rename(from, to)
    if (to.endsWith('/key.json')) await recordsOf(other).markMoved([{ store: 'hostState', to: 'postgres', at }])
  })
  await expect(backend.hostState.save('key', 1)).rejects.toMatchObject({
    code: 'unavailable',
    outcome: 'unknown',
    movedTo: 'postgres',
  })
  expect((await readAll(other, 'hostState')).map(({ key }) => key)).toEqual(['key'])
})

onRoot('[C-MOVE-7] a mark that cannot be read names itself, the variable and the way out', async () => {
  const backend = await open()
  await recordsOf(backend).markMoved([{ store: 'inbox', to: 'postgres', at }])
  const mark = join(root, '.moved', 'inbox.json')
  await writeFile(mark, '{"cut')
  await expect(backend.inbox.counts()).rejects.toThrow(
    `${mark} says that inbox moved to another backend, but it cannot be read. Set NEXUS_INBOX_BACKEND to that backend; if inbox never moved, remove the file.`,
  )
})

onRoot('[C-MOVE-7] what agents left stays theirs to bring where completions moved away', async () => {
  const backend = await open()
  await recordsOf(backend).markMoved([{ store: 'completions', to: 'postgres', at }])
  await mkdir(folder(), { recursive: true })
  await writeFile(summary('7'), '{"issue_number":"7","agent_type":"tester","status":"complete","summary":"late"}')
  expect(await readAll(backend, 'completions')).toEqual([])
})

/** What the mailbox of this root brings to completions that live elsewhere. */
const collected = async (): Promise<string[]> => {
  const mailbox = await openMailbox({ root, ...createFakes().context })
  const { imported } = await mailbox.collect(openMemoryBackend(createFakes().context).completions)
  return imported.map(({ report }) => report.summary)
}

const lateReport = '{"issue_number":"7","agent_type":"tester","status":"complete","summary":"late"}'

for (const [how, look] of [
  ['a look into the mailbox', (backend: Backend) => backend.completions.scan()],
  ['a walk over whole records', (backend: Backend) => recordsOf(backend).read('completions')],
  [
    'a save of another report',
    ({ completions }: Backend) =>
      completions.save({
        project: 'alpha',
        issueNumber: '7',
        agentType: 'planner',
        status: 'complete',
        summary: 'planned',
        payload: { summary: 'planned' },
        reportId: null,
      }),
  ],
] as const)
  onRoot(
    `[C-MOVE-7] a report that ${how} takes in while completions move away stays news to where they went`,
    async () => {
      const [backend, other] = [await open(), await open()]
      await mkdir(folder(), { recursive: true })
      await writeFile(summary('7'), lateReport)
      const { link, rename } = sys
      const closing =
        (call: typeof link): typeof link =>
        async (from, to) => {
          if (to.endsWith(`/${shortHash('tester:complete')}.json`))
            await recordsOf(other).markMoved([{ store: 'completions', to: 'postgres', at }])
          return call(from, to)
        }
      vi.spyOn(sys, 'link').mockImplementation(closing(link))
      vi.spyOn(sys, 'rename').mockImplementation(closing(rename))
      await expect(look(backend)).rejects.toMatchObject({
        code: 'unavailable',
        outcome: 'unknown',
        movedTo: 'postgres',
      })
      expect(await collected()).toEqual(['late'])
    },
  )

onRoot('[C-MOVE-7] a record written where completions are not at home leaves a report to where they are', async () => {
  const backend = await open()
  await recordsOf(backend).markMoved([{ store: 'completions', to: 'postgres', at }])
  await mkdir(folder(), { recursive: true })
  await writeFile(summary('7'), lateReport)
  await recordsOf(backend).write('completions', [completion()])
  expect(await readFile(summary('7'), 'utf8')).toBe(lateReport)
  expect((await readAll(backend, 'completions')).map((record) => record.summary)).toEqual(['done'])
  expect(await collected()).toEqual(['late'])
})

onRoot('[C-MOVE-5] a task that another backend numbered and a file of that name are two tasks', async () => {
  const backend = await open()
  const task = {
    project: 'alpha',
    workspace: '',
    filename: 'nine.md',
    markdown: 'moved',
    status: 'pending',
    priority: 0,
    attempts: 0,
    recoveries: 0,
    maxAttempts: 3,
    idempotencyKey: null,
    issueNumber: null,
    error: null,
    cancelRequested: false,
    processedAt: null,
    epoch: 0,
    hold: null,
  }
  await recordsOf(backend).write('inbox', [{ ...task, id: '9', runAt: at, createdAt: at }])
  await writeFile(join(root, 'inbox', 'alpha', 'task_9.md'), 'by hand')
  const read = await readAll(backend, 'inbox')
  expect(read.map(({ filename, markdown }) => [filename, markdown])).toEqual([
    ['nine.md', 'moved'],
    ['task_9.md', 'by hand'],
  ])
  expect((await backend.inbox.list()).items.map(({ filename }) => filename).sort()).toEqual(['nine.md', 'task_9.md'])
})

onRoot('[C-MOVE-2] saves at work beside it tear nothing: of each completion one of the two is there', async () => {
  const [mover, saver] = [await open(), await open()]
  const issues = Array.from({ length: 40 }, (_, n) => String(n + 1))
  const moved = issues.map((issueNumber, n) =>
    completion({ issueNumber, dedupKey: `${issueNumber}:developer:complete`, seq: n + 1, summary: 'moved' }),
  )
  const saves = issues.map((issueNumber) =>
    saver.completions.save({
      project: 'alpha',
      issueNumber,
      agentType: 'developer',
      status: 'complete',
      summary: 'saved',
      payload: { summary: 'saved' },
      reportId: null,
    }),
  )
  await Promise.all([recordsOf(mover).write('completions', moved), ...saves])
  const there = await readAll(mover, 'completions')
  expect(there.map(({ dedupKey }) => dedupKey).sort()).toEqual(moved.map(({ dedupKey }) => dedupKey).sort())
  for (const record of there) {
    const [data] = [record.summary === 'moved' ? completion().data : '{"summary":"saved"}']
    expect(record.data).toBe(data)
    expect(JSON.parse(await readFile(summary(record.issueNumber), 'utf8'))).toEqual(JSON.parse(data))
  }
  expect(await readdir(join(root, '.tmp'))).toEqual([])
})

const listOf = async (names: AsyncIterable<string>): Promise<string[]> => {
  const all: string[] = []
  for await (const name of names) all.push(name)
  return all
}

onRoot(
  '[C-MOVE-1] a folder of any size is gone through a stretch of names at a time, each once and in order',
  async () => {
    const names = Array.from({ length: 57 }, (_, n) => `name-${String(n).padStart(2, '0')}`)
    await mkdir(join(root, 'state'))
    for (const name of names.toSorted(() => 0.5)) await writeFile(join(root, 'state', name), '')
    const tools = await openTools(root, createFakes().context, () => false)
    for (const most of [1, 7, 56, 57, 58]) {
      const walk = createNames(tools.listing, most)
      const all = await listOf(walk.files(join(tools.root, 'state'), ''))
      expect(all).toEqual(names)
      expect(await listOf(walk.files(join(tools.root, 'state'), 'name-30'))).toEqual(names.slice(31))
      expect(await listOf(walk.folders(tools.root, 'state'))).toEqual([])
    }
  },
)

onRoot('[C-MOVE-2] a record that somebody makes while it is written becomes the written one', async () => {
  const [backend, other] = [await open(), await open()]
  const link = sys.link
  let isFirst = true
  vi.spyOn(sys, 'link').mockImplementation(async (from, to) => {
    if (isFirst && to.endsWith('/key.json')) {
      isFirst = false
      await other.hostState.save('key', 'theirs')
    }
    return link(from, to)
  })
  await recordsOf(backend).write('hostState', [{ key: 'key', data: '"ours"', updatedAt: at }])
  expect(isFirst).toBe(false)
  expect(await readAll(other, 'hostState')).toEqual([{ key: 'key', data: '"ours"', updatedAt: at }])
})

onRoot('[C-INBOX-18] a task file that is still being written is read once it stands still', async () => {
  const path = join(root, 'inbox', 'alpha', 'slow.md')
  await mkdir(join(root, 'inbox', 'alpha'), { recursive: true })
  const backend = await open()
  await writeFile(path, '# Half')
  let text = '# Half'
  const writer = setInterval(() => {
    text += ' more'
    writeFileSync(path, text)
  }, 40)
  const early = await readAll(backend, 'inbox')
  clearInterval(writer)
  expect(early).toEqual([])
  expect((await readAll(backend, 'inbox')).map(({ filename, markdown }) => [filename, markdown])).toEqual([
    ['slow.md', text],
  ])
})
