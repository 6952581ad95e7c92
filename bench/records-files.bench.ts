import { mkdir, mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { CompletionRecord, Records } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { test } from 'vitest'
import { context } from './context.ts'
import { median, report } from './figures.ts'

const rounds = 5
const perRound = 4000
const perCall = 1000
const agents = ['planner', 'developer', 'reviewer', 'tester']

const recordOf = (n: number): CompletionRecord => {
  const [issueNumber, agentType] = [String(Math.floor(n / agents.length)), agents[n % agents.length] ?? '']
  return {
    dedupKey: `${issueNumber}:${agentType}:complete`,
    project: 'shop',
    issueNumber,
    agentType,
    status: 'complete',
    summary: `Step ${n} is done`,
    reportId: `attempt-${n}`,
    data: JSON.stringify({ agent_type: agentType, summary: `Step ${n} is done`, key_findings: ['x'.repeat(300)] }),
    seq: n + 1,
    createdAt: new Date(1_760_000_000_000 + n),
    savedAt: new Date(1_760_000_000_000 + n),
  }
}

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}

const chunks = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / perCall) }, (_, n) => all.slice(n * perCall, (n + 1) * perCall))

const sync = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  await handle.sync()
  await handle.close()
}

const writers = 8

/** What nobody can do with less: a file for each record, on the disk before its name, and each folder synced once. */
const writeRaw = async (root: string, records: readonly CompletionRecord[]): Promise<void> => {
  const temps = join(root, '.tmp')
  await mkdir(temps, { recursive: true })
  const left = records.values()
  const folders = new Set<string>()
  const one = async (record: CompletionRecord): Promise<void> => {
    const temp = join(temps, record.dedupKey)
    const path = join(root, record.issueNumber, `${record.agentType}.json`)
    const handle = await open(temp, 'wx')
    await handle.writeFile(JSON.stringify(record))
    await handle.sync()
    await handle.close()
    if (!folders.has(dirname(path))) await mkdir(dirname(path), { recursive: true })
    folders.add(dirname(path))
    await rename(temp, path)
  }
  const writer = async (): Promise<void> => {
    for (const record of left) await one(record)
  }
  await Promise.all(Array.from({ length: writers }, writer))
  const unsynced = folders.values()
  const syncer = async (): Promise<void> => {
    for (const folder of unsynced) await sync(folder)
  }
  await Promise.all(Array.from({ length: writers }, syncer))
  await sync(root)
}

const readRaw = async (root: string): Promise<number> => {
  const folders = (await readdir(root)).filter((name) => !name.startsWith('.')).values()
  let count = 0
  const reader = async (): Promise<void> => {
    for (const folder of folders)
      for (const name of await readdir(join(root, folder))) {
        JSON.parse(await readFile(join(root, folder, name), 'utf8'))
        count += 1
      }
  }
  await Promise.all(Array.from({ length: writers }, reader))
  return count
}

const readOurs = async (records: Records): Promise<number> => {
  let count = 0
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await records.read('completions', { cursor, limit: perCall })
    count += page.items.length
    cursor = page.cursor
  }
  return count
}

test('whole completions on files beside raw files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  await using backend = await openFsBackend({ root: join(folder, 'ours'), ...context })
  const { records } = backend
  if (!records) throw new Error('The backend gives no whole records.')
  const [written, limits, read, readLimits]: [number[], number[], number[], number[]] = [[], [], [], []]
  try {
    for (let round = 0; round < rounds; round += 1) {
      const given = Array.from({ length: perRound }, (_, n) => recordOf(round * perRound + n))
      const raw = async (): Promise<void> => {
        for (const some of chunks(given)) await writeRaw(join(folder, 'raw'), some)
      }
      const ours = async (): Promise<void> => {
        for (const some of chunks(given)) await records.write('completions', some)
      }
      limits.push(perRound / (await secondsOf(raw)))
      written.push(perRound / (await secondsOf(ours)))
      const count = (round + 1) * perRound
      readLimits.push(count / (await secondsOf(() => readRaw(join(folder, 'raw')))))
      read.push(count / (await secondsOf(() => readOurs(records))))
    }
    report('whole completions, files', {
      records: rounds * perRound,
      'written /s': median(written),
      'raw written /s': median(limits),
      'write ratio': median(written.map((rate, n) => rate / (limits[n] ?? Number.NaN))),
      'read /s': median(read),
      'raw read /s': median(readLimits),
      'read ratio': median(read.map((rate, n) => rate / (readLimits[n] ?? Number.NaN))),
      mark: 'write ratio 0.6',
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
