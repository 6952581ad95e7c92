import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { until } from '../../host/test/until.ts'
import { AuditList } from '../src/audit/commands.ts'
import { type Ground, grounds, jsonOf } from './admin.ts'

const trailOf = ({ env }: Ground): string => join(env['NEXUS_DIR'] ?? '', '.audit')

const textOf = (ground: Ground): string => {
  const [name = ''] = readdirSync(trailOf(ground))
  return readFileSync(join(trailOf(ground), name), 'utf8')
}

test('a command that is killed in the middle of its change leaves the intent', async () => {
  await using ground = await grounds.postgres()
  const { admin, env, folder } = ground
  await admin(['state', 'set', 'k'], { input: '1' })
  const client = new Client({ connectionString: env['NEXUS_STORAGE_DSN'] ?? '' })
  await client.connect()
  await client.query('begin')
  await client.query('lock table nexus_host_state in access exclusive mode')
  const main = join(import.meta.dirname, '../dist/main.js')
  const child = spawn(process.execPath, [main, 'state', 'patch', 'k', '--set', 'a=2'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    stdio: 'ignore',
  })
  await until('the intent is written', () => textOf(ground).includes('"state patch"'))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await client.query('rollback')
  await client.end()

  const { changes } = jsonOf(AuditList, await admin(['audit', '--json']))
  expect(changes.map(({ command, what, result, ended_at }) => [command, what, result?.['status'], ended_at])).toEqual([
    ['state patch', ['k'], undefined, null],
    ['state set', ['k'], 'saved', expect.any(String)],
  ])
  expect((await admin(['audit'])).stdout).toMatch(/ state patch +k +interrupted$/m)
})

test('lines are for this user alone, say no contents, and a torn one spoils no other', async () => {
  await using ground = await grounds.files()
  const { admin } = ground
  await admin(['state', 'set', 'k'], { input: '"a secret"' })
  const [name = ''] = readdirSync(trailOf(ground))
  const file = join(trailOf(ground), name)
  expect(name).toMatch(/^\d{4}-\d{2}\.jsonl$/)
  expect([statSync(trailOf(ground)).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600])
  expect(textOf(ground)).not.toContain('secret')
  appendFileSync(file, '{"kind":"inte')
  await Promise.all(['a', 'b', 'c'].map((key) => admin(['state', 'set', key], { input: '1' })))
  const { changes, unreadable } = jsonOf(AuditList, await admin(['audit', '--json']))
  expect(changes.map(({ what: [key] }) => key).sort()).toEqual(['a', 'b', 'c', 'k'])
  expect(unreadable).toBe(1)
  expect(jsonOf(AuditList, await admin(['audit', '--limit', '2', '--json'])).changes).toHaveLength(2)
  expect(jsonOf(AuditList, await admin(['audit', '--user', 'nobody else', '--json'])).changes).toEqual([])
})

test('where the trail cannot be written, nothing is changed', async () => {
  await using ground = await grounds.files()
  mkdirSync(ground.env['NEXUS_DIR'] ?? '')
  writeFileSync(trailOf(ground), 'in its place')
  const refused = await ground.admin(['state', 'set', 'k'], { input: '1' })
  expect(refused).toMatchObject({ status: 1, stdout: '' })
  expect(refused.stderr).toMatch(
    /^The audit trail \/.*\/\.audit\/\d{4}-\d{2}\.jsonl cannot be written \(E\w+\)\. Make it writable/,
  )
  expect((await ground.admin(['state', 'get', 'k'])).status).toBe(1)
})
