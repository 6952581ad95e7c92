import type { CompletionRecord, Records } from '@nexus/core'
import { openPgBackend } from '@nexus/pg-backend'
import { test } from 'vitest'
import { context } from './context.ts'
import { openRawRows } from './raw-rows.ts'
import { completionOf, recordsOf } from './records.ts'
import { publish } from './results.ts'
import { startServer } from './server.ts'

const page = 1000
const pagesPerRound = 10
const rounds = 10

const recordsFrom = (first: number): CompletionRecord[] =>
  Array.from({ length: page }, (_, index) => completionOf(first + index))

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const readAll = async (records: Records): Promise<void> => {
  for (let cursor: string | null | undefined; cursor !== null; )
    cursor = (await records.read('completions', { cursor, limit: page })).cursor
}

test('whole completions in bulk: postgres', async () => {
  await using server = await startServer()
  await using ours = await server.database()
  await using plain = await server.database()
  await using backend = await openPgBackend({ dsn: ours.dsn, ...context })
  await (await openPgBackend({ dsn: plain.dsn, ...context }))[Symbol.asyncDispose]()
  await using raw = await openRawRows(plain.dsn)
  const records = recordsOf(backend)
  const [written, plainly]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round += 1)
    for (let n = 0; n < pagesPerRound; n += 1) {
      const given = recordsFrom(1 + (round * pagesPerRound + n) * page)
      written.push(await timed(() => records.write('completions', given)))
      plainly.push(await timed(() => raw.write(given)))
    }
  const [read, readPlainly]: [number[], number[]] = [[], []]
  for (let round = 0; round < 5; round += 1) {
    read.push(await timed(() => readAll(records)))
    readPlainly.push(await timed(() => raw.readAll()))
  }
  const perSecond = (amount: number, times: readonly number[]) => times.map((ms) => (amount * 1000) / ms)
  const publishVerb = (verb: string, amount: number, ourMs: readonly number[], rawMs: readonly number[]): void =>
    publish({
      row: `whole completions ${verb}, postgres`,
      unit: '/s',
      rounds: { ours: perSecond(amount, ourMs), raw: perSecond(amount, rawMs) },
      against: 'raw',
      mark: { atLeast: 0.85 },
    })
  publishVerb('written', page, written, plainly)
  publishVerb('read', rounds * pagesPerRound * page, read, readPlainly)
})
