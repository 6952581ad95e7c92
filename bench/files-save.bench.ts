import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, JsonObject } from '@nexus/core'
import { expect, test } from 'vitest'
import { openPeers } from './peers/files.ts'
import { openRawRevisions } from './raw-revision.ts'
import { saveRaw } from './raw-save.ts'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'
import { openStores } from './stores.ts'

const perRound = 256

/** What a host keeps of one agent that it has launched, give or take. */
const stateOf = (n: number): JsonObject => ({ agent: 'developer', pid: 4000 + n, startedAt: 1_700_000_000_000 + n })

const textOf = (n: number): string => `${JSON.stringify(stateOf(n), null, 2)}\n`

/** Numbers that no other round of this contender gives, so that each save changes what is there. */
const createCount = (): (() => number) => {
  let given = 0
  return () => {
    given += 1
    return given
  }
}

type Save = (key: string, n: number) => Promise<unknown>

/** Rates of a contender whose callers each save a record of their own, over and over; `last` says what each said last. */
const contender = (callers: number, save: Save) => {
  const last = new Map<string, number>()
  const next = createCount()
  const caller = async (_: unknown, nth: number): Promise<void> => {
    const key = `key-${nth}`
    for (let job = 0; job < perRound / callers; job += 1) {
      const n = next()
      await save(key, n)
      last.set(key, n)
    }
  }
  const round = async (): Promise<number> => {
    const begun = performance.now()
    await Promise.all(Array.from({ length: callers }, caller))
    return (perRound * 1000) / (performance.now() - begun)
  }
  return { last, round }
}

const withFolder = async (work: (folder: string, stores: Backend) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  try {
    await mkdir(join(folder, 'raw'))
    await using stores = await openStores({ NEXUS_DIR: join(folder, 'ours') })
    await work(folder, stores)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const marks = { 1: 1.15, 64: 2 } as const

for (const callers of [1, 64] as const) {
  const mark = { atLeast: marks[callers] }
  const who = callers === 1 ? '1 caller' : `${callers} callers`

  test(`a durable save of host state by ${who} beside the plain one and what libraries do`, async () => {
    await withFolder(async (folder, stores) => {
      const peers = await openPeers(folder)
      const ours = contender(callers, (key, n) => stores.hostState.save(key, stateOf(n)))
      const raw = contender(callers, (key, n) => saveRaw(join(folder, 'raw', `${key}.json`), textOf(n)))
      const revisions = openRawRevisions(join(folder, 'revisions'))
      const rounds = await interleave({
        ours: ours.round,
        raw: raw.round,
        revisions: contender(callers, (key, n) => revisions(key, textOf(n))).round,
        writeFileAtomic: contender(callers, (key, n) => peers.writeFileAtomic(key, textOf(n))).round,
        atomically: contender(callers, (key, n) => peers.atomically(key, textOf(n))).round,
        unstorage: contender(callers, (key, n) => peers.unstorage(key, textOf(n))).round,
      })
      for (const [key, n] of ours.last) expect((await stores.hostState.load(key))?.value).toEqual(stateOf(n))
      for (const [key, n] of raw.last)
        expect(await readFile(join(folder, 'raw', `${key}.json`), 'utf8')).toBe(textOf(n))
      publish({ row: `durable save of host state, ${who}, files`, unit: '/s', rounds, against: 'raw', mark })
    })
  })

  test(`a report by ${who}, with its number, its key and its mirror, beside the plain save`, async () => {
    await withFolder(async (folder, stores) => {
      const reports = contender(callers, (key, n) =>
        stores.completions.save({
          project: 'shop',
          issueNumber: key.slice('key-'.length),
          agentType: 'developer',
          status: 'complete',
          reportId: null,
          summary: `Report ${n}`,
          payload: stateOf(n),
        }),
      )
      const raw = contender(callers, (key, n) => saveRaw(join(folder, 'raw', `${key}.json`), textOf(n)))
      const rounds = await interleave({ ours: reports.round, raw: raw.round })
      for (const [key, n] of reports.last) {
        const path = join(folder, 'ours/tasks/shop/completions', `completion_summary_${key.slice('key-'.length)}.json`)
        expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(stateOf(n))
      }
      publish({ row: `durable save of a report, ${who}, files`, unit: '/s', rounds, against: 'raw', mark })
    })
  })
}
