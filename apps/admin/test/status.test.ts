import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readConfig, StoreError } from '@nexus/core'
import { openFsBackend, openJournalFiles } from '@nexus/fs-backend'
import { openRouter } from '@nexus/router'
import { createFakes } from '@nexus/testkit'
import { freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { afterEach, beforeEach, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus-admin-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const admin = (args: string[], env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('[C-ROUTE-1] status: five rows, the root, and the counts; nothing else on a fresh folder', () => {
  mkdirSync(join(folder, '.nexus', 'inbox', 'shop'), { recursive: true })
  writeFileSync(join(folder, '.nexus', 'inbox', 'shop', 'cart.md'), 'The cart forgets.')
  const { status, stdout, stderr } = admin(['status'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const lines = stdout.split('\n')
  expect(lines.slice(1, 6).map((line) => line.split(/ +/))).toEqual(
    ['workflows', 'completions', 'hostState', 'taskFiles', 'inbox'].map((store) => [
      store,
      'filesystem',
      'default',
      'ok',
    ]),
  )
  expect(stdout).toMatch(/^root {7}.*\.nexus$/m)
  expect(stdout).toMatch(/^inbox {6}pending 1, processing 0, done 0, failed 0$/m)
})

test('[C-ROUTE-2] status --json on a mixed route', async () => {
  await using database = await freshDatabase(await testDsn())
  const env = { NEXUS_INBOX_BACKEND: 'both', NEXUS_STORAGE_DSN: database.dsn, NEXUS_DIR: join(folder, 'state') }
  const { status, stdout } = admin(['status', '--json'], env)
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    version: 1,
    root: join(folder, 'state'),
    stores: [
      { store: 'workflows', backend: 'filesystem' },
      {},
      {},
      {},
      { store: 'inbox', backend: 'postgres', decidedBy: 'NEXUS_INBOX_BACKEND', health: { status: 'ok' } },
    ],
    inbox: { pending: 0, processing: 0, done: 0, failed: 0 },
  })
})

test('[C-ROUTE-7] a database that does not answer: degraded, exit 3, and no password', () => {
  const env = { NEXUS_INBOX_BACKEND: 'postgres', NEXUS_STORAGE_DSN: 'postgresql://nexus:canary@127.0.0.1:1/nexus' }
  const { status, stdout, stderr } = admin(['status'], env)
  expect(status).toBe(3)
  expect(stdout).toMatch(/^inbox +postgres +NEXUS_INBOX_BACKEND +down since /m)
  expect(stdout).toMatch(/^inbox {6}not reachable$/m)
  expect(stdout + stderr).not.toContain('canary')
})

test('[C-ROUTE-11] what an outage wrote is shown until it is applied, and looking neither applies nor changes it', async () => {
  await using database = await freshDatabase(await testDsn())
  const root = join(folder, 'state')
  const env = { NEXUS_HOST_STATE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: database.dsn, NEXUS_DIR: root }
  mkdirSync(root)
  const { context } = createFakes()
  const away = () => Promise.reject(new StoreError({ code: 'unavailable', message: 'away' }))
  await using host = await openRouter({
    config: readConfig(env),
    context,
    registry: { filesystem: ({ dir }) => openFsBackend({ root: dir, ...context }), postgres: away },
    journal: () => openJournalFiles({ root, ...context }),
  })
  await host.hostState.save('a', 1)
  await host.hostState.save('b', 2)
  const before = readdirSync(root, { recursive: true })
  for (const _ of [1, 2]) {
    const { status, stdout } = admin(['status'], env)
    expect(status).toBe(3)
    expect(stdout).toMatch(/^journal {4}2 operations since \S+Z, to be applied .*: \/.*$/m)
  }
  const { status, stdout } = admin(['status', '--json'], env)
  expect(status).toBe(3)
  expect(JSON.parse(stdout)).toMatchObject({ journal: { operations: 2, bytes: expect.any(Number) } })
  expect(readdirSync(root, { recursive: true })).toEqual(before)
})

test('[C-ROUTE-4] [C-ROUTE-5] a configuration error is one line and exit 78', () => {
  const unknown = admin(['status'], { NEXUS_INBOX_BACKEND: 'redis' })
  expect(unknown).toEqual({
    status: 78,
    stdout: '',
    stderr:
      'NEXUS_INBOX_BACKEND=redis: unknown backend. Use filesystem or postgres (aliases: fs, file, postgresql, database).\n',
  })
  const bad = admin(['status'], { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: 'mysql://u:canary@db/x' })
  expect(bad.status).toBe(78)
  expect(bad.stderr).toMatch(/^NEXUS_STORAGE_DSN: not a PostgreSQL URL\. Use postgresql:\/\/[^\n]+\n$/)
  expect(bad.stderr).not.toContain('canary')
})

test('help has examples; a wrong command is a usage error', () => {
  const help = admin(['status', '--help'])
  expect(help.status).toBe(0)
  expect(help.stdout).toContain('nexus-admin status --json')
  expect(admin(['nonsense'])).toMatchObject({ status: 2, stdout: '' })
})
