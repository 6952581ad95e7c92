import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createIds, recordKey, type StoreRecords, silentLogger, systemClock } from '@nexus/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFsBackend } from '../src/index.ts'
import { buildPrograms, startProgram } from './children.ts'
import { freshRoot } from './harness.ts'
import { type Batched, batchOf } from './programs/batch.ts'

let programs = ''
beforeAll(async () => {
  programs = await buildPrograms()
})
afterAll(() => rm(programs, { recursive: true, force: true }))

const stores: readonly Batched[] = ['completions', 'taskFiles', 'inbox']
const open = async (root: string) => {
  const clock = systemClock
  const backend = await openFsBackend({
    root,
    clock,
    ids: createIds(clock),
    logger: silentLogger,
    liveness: () => 'unknown',
  })
  const { records } = backend
  if (!records) throw new Error('The backend gives no whole records.')
  const readAll = async <S extends Batched>(store: S): Promise<Map<string, StoreRecords[S]>> => {
    const all = new Map<string, StoreRecords[S]>()
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await records.read(store, { cursor, limit: 100 })
      expect(page.corrupt).toEqual([])
      for (const item of page.items) all.set(recordKey[store](item), item)
      cursor = page.cursor
    }
    return all
  }

  /** What was acknowledged is there; two calls made again, of which one was under way, leave all of both. */
  const check = async <S extends Batched>(store: S, acknowledged: readonly number[], next: number): Promise<void> => {
    const isThere = async (batches: readonly number[]): Promise<number> => {
      const there = await readAll(store)
      for (const record of batches.flatMap((batch) => batchOf(batch)[store]))
        expect(there.get(recordKey[store](record))).toEqual(record)
      return there.size
    }
    await isThere(acknowledged)
    for (const batch of [next - 1, next]) await records.write(store, batchOf(batch)[store])
    const all = Array.from({ length: next + 1 }, (_, batch) => batch)
    expect(await isThere(all)).toBe(40 * all.length)
  }
  return { check }
}

/** Runs the writer from one batch on until it has acknowledged so many calls, then kills it at once. */
const runAndKill = async (root: string, from: number, lines: number): Promise<string[]> => {
  const writer = startProgram(programs, 'writer', ['records', root, String(from), '1000'])
  while (writer.lines.length <= lines && (await writer.nextLine()) !== null);
  writer.process.kill('SIGKILL')
  await writer.ended
  return writer.lines.slice(1)
}

test('[C-MOVE-2] whatever kill -9 leaves of a call is whole, and the call repeated leaves all of it', async () => {
  const root = await freshRoot()
  const acknowledged: Record<Batched, number[]> = { completions: [], taskFiles: [], inbox: [] }
  try {
    for (let round = 0, from = 0; round < 6; round++) {
      for (const line of await runAndKill(root, from, 2 + round)) {
        const [store, batch] = line.split(' ')
        for (const known of stores) if (known === store) acknowledged[known].push(Number(batch))
      }
      const { check } = await open(root)
      expect(await readdir(join(root, '.tmp'))).toEqual([])
      const next = Math.max(...acknowledged.completions) + 1
      for (const store of stores) await check(store, acknowledged[store], next)
      from = next + 1
    }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})
