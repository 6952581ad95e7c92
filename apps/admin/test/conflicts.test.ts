import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openPgBackend } from '@nexus/pg-backend'
import { createFakes } from '@nexus/testkit'
import { freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const admin = (args: string[], env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'conflicts', ...args], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('[C-ROUTE-13] conflicts are listed with both values and resolved by taking one', async () => {
  await using database = await freshDatabase(await testDsn())
  const { clock, context } = createFakes()
  await using backend = await openPgBackend({ dsn: database.dsn, ...context })
  await backend.hostState.save('agents', { a: 'theirs' })
  const operation = { id: 'op1', kind: 'state-patch', key: 'agents', entries: { a: 'ours' }, remove: [] } as const
  await backend.operations?.replay([
    { operation, at: clock.now(), sent: false, base: { known: 'value', value: { a: 'seen' } } },
  ])
  const env = { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: database.dsn }

  const listed = admin(['--json'], env)
  expect(listed.status).toBe(0)
  const [conflict] = JSON.parse(listed.stdout).conflicts
  expect(conflict).toMatchObject({ key: 'agents', member: 'a', base: 'seen', ours: 'ours', theirs: 'theirs' })
  expect(admin([], env).stdout).toMatch(/hostState agents member a[\s\S]*seen {4}"seen"[\s\S]*conflicts resolve /)

  expect(admin(['resolve', conflict.id, 'mine'], env).status).toBe(2)
  expect(admin(['resolve', 'none', 'ours'], env)).toMatchObject({ status: 1, stdout: 'There is no conflict none.\n' })
  expect(JSON.parse(admin(['resolve', conflict.id, 'ours', '--json'], env).stdout)).toMatchObject({
    status: 'resolved',
  })
  expect((await backend.hostState.load('agents'))?.value).toEqual({ a: 'ours' })
  expect(admin([], env).stdout).toBe('No conflicts.\n')
})

test('[C-ROUTE-13] without PostgreSQL there is nothing to list, which it says', () => {
  const { status, stdout, stderr } = admin([])
  expect({ status, stdout }).toEqual({ status: 69, stdout: '' })
  expect(stderr).toContain('nothing is routed to it')
})
