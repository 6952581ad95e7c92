import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Records } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { test } from 'vitest'
import { context } from './context.ts'
import { readRaw, writeRaw } from './raw-files.ts'
import { completionOf, recordsOf } from './records.ts'
import { publish } from './results.ts'

const rounds = 5
const perRound = 4000
const perCall = 1000

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}

const chunks = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / perCall) }, (_, n) => all.slice(n * perCall, (n + 1) * perCall))

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
  const records = recordsOf(backend)
  const [written, limits, read, readLimits]: [number[], number[], number[], number[]] = [[], [], [], []]
  try {
    for (let round = 0; round < rounds; round += 1) {
      const given = Array.from({ length: perRound }, (_, n) => completionOf(round * perRound + n))
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
    const [unit, against] = ['/s', 'raw'] as const
    const mark = { atLeast: 0.6 }
    publish({ row: 'whole completions written, files', unit, rounds: { ours: written, raw: limits }, against, mark })
    publish({ row: 'whole completions read, files', unit, rounds: { ours: read, raw: readLimits }, against, mark })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
