import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openFsBackend } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { expect, test } from 'vitest'
import { context } from './context.ts'
import { readRaw, writeRaw } from './raw-files.ts'
import { openRawRows } from './raw-rows.ts'
import { completionOf, recordsOf } from './records.ts'
import { publish } from './results.ts'
import { startServer } from './server.ts'

const main = fileURLToPath(new URL('../apps/admin/dist/main.js', import.meta.url))
const rounds = 5
/** Whoever of the two reads or writes more slowly, raw. */
const against = 'slower side'
type Sides = Record<'ours' | typeof against, number[]>
const amount = 10_000
const page = 1_000
const pages = Array.from({ length: amount / page }, (_, n) =>
  Array.from({ length: page }, (_, index) => completionOf(n * page + index)),
)

const rate = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return (amount * 1000) / (performance.now() - begun)
}

/** Completions per second of the copy into an empty target, as the receipt has it. */
const copyRate = async (from: string, to: string, env: Record<string, string>): Promise<number> => {
  const args = [main, 'migrate', 'run', '--from', from, '--to', to, '--store', 'completions', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { PATH: process.env['PATH'], ...env } })
  const [pass] = JSON.parse(stdout).receipt.passes
  expect(pass).toMatchObject({ kind: 'copy', written: amount })
  return pass.written / pass.seconds
}

test('completions moved from files to PostgreSQL and back', async () => {
  await using server = await startServer()
  const there: Sides = { ours: [], [against]: [] }
  const back: Sides = { ours: [], [against]: [] }
  for (let round = 0; round <= rounds; round += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
    await using database = await server.database()
    await using plain = await server.database()
    await (await openPgBackend({ dsn: plain.dsn, ...context }))[Symbol.asyncDispose]()
    const root = join(folder, 'root')
    {
      await using source = await openFsBackend({ root, ...context })
      for (const some of pages) await recordsOf(source).write('completions', some)
    }
    const raw = join(folder, 'raw')
    const env = { NEXUS_DIR: root, NEXUS_STORAGE_DSN: database.dsn }
    const filesWritten = await rate(async () => {
      for (const some of pages) await writeRaw(raw, some)
    })
    const filesRead = await rate(async () => expect(await readRaw(raw)).toBe(amount))
    const to = await copyRate('filesystem', 'postgres', env)
    await using rows = await openRawRows(plain.dsn)
    const rowsWritten = await rate(async () => {
      for (const some of pages) await rows.write(some)
    })
    const rowsRead = await rate(async () => expect(await rows.readAll()).toBe(amount))
    const from = await copyRate('postgres', 'filesystem', { ...env, NEXUS_DIR: join(folder, 'other') })
    await rm(folder, { recursive: true })
    // The first warms up.
    if (round === 0) continue
    there.ours.push(to)
    there[against].push(Math.min(filesRead, rowsWritten))
    back.ours.push(from)
    back[against].push(Math.min(rowsRead, filesWritten))
  }
  const [unit, mark] = ['/s', { atLeast: 0.6 }] as const
  publish({ row: 'completions moved, files to PostgreSQL', unit, rounds: there, against, mark })
  publish({ row: 'completions moved, PostgreSQL to files', unit, rounds: back, against, mark })
})
