import { join } from 'node:path'
import { createIds, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { expect, test } from 'vitest'
import { Differences } from '../src/move/diff.ts'
import { grounds, jsonOf } from './admin.ts'

const context = {
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown' as const,
}

test('diff: two roots by content, and a secret is never taken from the command line', async () => {
  await using ground = await grounds.files()
  const other = join(ground.folder, 'other')
  await using one = await openFsBackend({ root: ground.env['NEXUS_DIR'] ?? '', ...context })
  await using two = await openFsBackend({ root: other, ...context })
  await one.hostState.save('alone', 1)
  const args = ['diff', '--from', 'filesystem', '--to', 'filesystem', '--to-dir', 'OTHER', '--store', 'hostState']
  const found = await ground.admin([...args, '--json'], { env: { OTHER: other } })
  expect(found.status, found.stderr).toBe(4)
  expect(jsonOf(Differences, found)).toMatchObject({
    equal: false,
    stores: [{ store: 'hostState', from_records: 1, to_records: 0, missing: 1, different: 0, extra: 0 }],
    differences: [{ store: 'hostState', key: 'alone', is: 'missing', members: [] }],
  })
  await one.hostState.delete('alone')
  expect(await ground.admin(args, { env: { OTHER: other } })).toMatchObject({ status: 0 })
  expect(await ground.admin(args)).toMatchObject({ status: 78, stderr: 'OTHER is not set, but --to-dir names it.\n' })
  const secret = 'postgresql://u:canary@db/x'
  const refused = await ground.admin(['diff', '--from', 'filesystem', '--to', 'postgres', '--to-dsn', secret])
  expect(refused).toMatchObject({ status: 2, stdout: '' })
  expect(refused.stderr).not.toContain('canary')
  await two.hostState.keys()
})
