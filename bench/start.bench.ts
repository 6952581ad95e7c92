import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { publish } from './results.ts'
import { startServer } from './server.ts'
import { openStores } from './stores.ts'

const programs = { admin: '../apps/admin/dist/main.js', host: '../apps/host/dist/main.js' }
const main = (name: keyof typeof programs): string => fileURLToPath(new URL(programs[name], import.meta.url))
const starts = fileURLToPath(new URL('starts/', import.meta.url))
const rounds = 15

interface Start {
  ms: number
  /** The most memory it had, in MB. */
  peakMb: number
}

/** From the start of a program to its end, which comes right after its one answer. */
const startOf = async (args: readonly string[], env: Record<string, string>): Promise<Start> => {
  const begun = performance.now()
  const child = spawn(process.execPath, ['--require', join(starts, 'peak.cjs'), ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [status] = await once(child, 'close')
  const ms = performance.now() - begun
  expect(status, said).toBe(0)
  return { ms, peakMb: Number(/peak (\d+)/.exec(said)?.[1]) / 1024 }
}

test('from the start of a program to its first answer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  await using server = await startServer()
  await using database = await server.database()
  const files = { NEXUS_STORAGE_BACKEND: 'filesystem', NEXUS_DIR: join(folder, 'files') }
  const postgres = {
    NEXUS_STORAGE_BACKEND: 'postgres',
    NEXUS_DIR: join(folder, 'postgres'),
    NEXUS_STORAGE_DSN: database.dsn,
  }
  for (const env of [files, postgres]) {
    await using stores = await openStores(env)
    await stores.hostState.save('greeting', { hello: 'world' })
  }
  const get = [main('admin'), 'state', 'get', 'greeting']
  const contenders = {
    node: () => startOf([join(starts, 'nothing.mjs')], {}),
    files: () => startOf(get, files),
    pg: () => startOf([join(starts, 'pg.mjs')], postgres),
    postgres: () => startOf(get, postgres),
    help: () => startOf([main('admin'), '--help'], files),
    host: () => startOf([main('host'), '--help'], files),
  }
  const names = Object.keys(contenders) as (keyof typeof contenders)[]
  const found = Object.fromEntries(names.map((name) => [name, [] as Start[]]))
  for (let round = 0; round <= rounds; round += 1)
    for (const name of names) {
      const start = await contenders[name]()
      if (round > 0) found[name]?.push(start)
    }
  const figures = (name: keyof typeof contenders, what: keyof Start): number[] =>
    (found[name] ?? []).map((start) => start[what])
  const rows = [
    ['nexus-admin state get, files', 'files', 'node', 1.5],
    ['nexus-admin state get, postgres', 'postgres', 'pg', 1.4],
    ['nexus-admin --help', 'help', 'node', 1.5],
    ['nexus-host --help', 'host', 'node', 1.5],
  ] as const
  for (const [row, ours, against, mark] of rows) {
    const sides = (what: keyof Start) => ({ ours: figures(ours, what), [against]: figures(against, what) })
    publish<string>({ row, unit: 'ms', rounds: sides('ms'), against, mark: { atMost: mark } })
    publish<string>({ row: `${row}: memory`, unit: 'MB', rounds: sides('peakMb'), against })
  }
  await rm(folder, { recursive: true })
})
