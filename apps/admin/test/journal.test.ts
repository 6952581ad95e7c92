import type { JournaledOperation } from '@nexus/core'
import { openPgBackend } from '@nexus/pg-backend'
import { createFakes } from '@nexus/testkit'
import { expect, test } from 'vitest'
import { BulkResult } from '../src/act/bulk.ts'
import { Conflicts } from '../src/act/conflicts.ts'
import { JournalList, JournalShown } from '../src/act/journal.ts'
import { Replayed } from '../src/act/journal-replay.ts'
import { type Ground, grounds, jsonOf } from './admin.ts'
import { openInOutage } from './outage.ts'

/** Writes two values of the host state and a report while the database is away. */
const writeInOutage = async (ground: Ground): Promise<void> => {
  await using host = await openInOutage(ground)
  await host.hostState.save('a', { y: 1 })
  await host.hostState.patch('a', { entries: { x: 2 } })
  const report = { project: 'shop', issueNumber: '12', agentType: 'developer', status: 'complete' } as const
  await host.completions.save({ ...report, summary: 'Done.', payload: {}, reportId: null })
}

test('[C-ROUTE-11] [C-ROUTE-12] what an outage wrote is listed, shown page by page, and applied once', async () => {
  await using ground = await grounds.postgres()
  const { admin, env } = ground
  expect(await admin(['journal'])).toMatchObject({ status: 0, stdout: 'No outage left anything.\n' })
  await writeInOutage(ground)
  const listed = await admin(['journal', 'ls', '--json'])
  expect(jsonOf(JournalList, listed).outages).toMatchObject([
    { outage: 1, operations: 3, unreadable: 0, ended_at: null, replayed: null },
  ])
  const first = jsonOf(JournalShown, await admin(['journal', 'show', '1', '--limit', '2', '--json']))
  expect(first.operations.map(({ slot, kind, key }) => [slot, kind, key])).toEqual([
    [1, 'state-save', 'a'],
    [2, 'state-patch', 'a'],
  ])
  expect(first.operations[1]?.operation).toMatchObject({ entries: { x: 2 } })
  const rest = await admin(['journal', 'show', '1', '--cursor', first.cursor ?? '', '--json'])
  expect(jsonOf(JournalShown, rest)).toMatchObject({ operations: [{ slot: 3, key: '12' }], cursor: null })
  expect(await admin(['journal', 'show', '7'])).toMatchObject({ status: 1, stdout: '' })

  await using backend = await openPgBackend({ dsn: env['NEXUS_STORAGE_DSN'] ?? '', ...createFakes().context })
  expect(await backend.hostState.load('a')).toBe(null)
  expect(jsonOf(Replayed, await admin(['journal', 'replay', '--json']))).toMatchObject({ replayed: 3, conflicts: 0 })
  expect((await backend.hostState.load('a'))?.value).toEqual({ y: 1, x: 2 })
  expect((await backend.completions.scan()).items).toMatchObject([{ summary: 'Done.' }])
  expect((await admin(['journal', 'replay'])).stdout).toBe('Nothing is to be applied.\n')
  expect((await admin(['journal'])).stdout).toMatch(/^1 +\S+Z +3 +0 +\S+Z +3 +0$/m)
})

test('[C-ROUTE-13] conflicts are listed with both values and resolved by taking one', async () => {
  await using ground = await grounds.mixed()
  const { admin, env } = ground
  const { clock, context } = createFakes()
  await using backend = await openPgBackend({ dsn: env['NEXUS_STORAGE_DSN'] ?? '', ...context })
  const patch = (key: string): JournaledOperation => ({
    operation: { id: `op-${key}`, kind: 'state-patch', key, entries: { a: 'ours' }, remove: [] },
    at: clock.now(),
    sent: false,
    base: { known: 'value', value: { a: 'seen' } },
  })
  for (const key of ['agents', 'issues']) await backend.hostState.save(key, { a: 'theirs' })
  await backend.operations?.replay([patch('agents'), patch('issues')])

  const { conflicts } = jsonOf(Conflicts, await admin(['journal', 'conflicts', '--json']))
  const conflict = conflicts.find(({ key }) => key === 'agents')
  expect(conflict).toMatchObject({ member: 'a', base: 'seen', ours: 'ours', theirs: 'theirs' })
  const id = conflict?.id ?? ''
  const text = await admin(['journal', 'conflicts'])
  expect(text.stdout).toMatch(/hostState agents member a[\s\S]*seen {4}"seen"[\s\S]*journal resolve .* --take ours/)

  expect((await admin(['journal', 'resolve', id, '--take', 'mine'])).status).toBe(2)
  const absent = await admin(['journal', 'resolve', 'none', '--take', 'ours'])
  expect(absent).toMatchObject({ status: 1, stdout: 'There is no conflict none. See: nexus-admin journal conflicts\n' })
  const resolved = await admin(['journal', 'resolve', id, '--take', 'ours', '--json'])
  expect(jsonOf(BulkResult, resolved).items).toEqual([{ id, status: 'resolved', ok: true }])
  const bulk = await admin(['journal', 'resolve', '--store', 'hostState', '--take', 'theirs', '--yes', '--json'])
  expect(jsonOf(BulkResult, bulk).counts).toEqual({ resolved: 1 })
  expect((await backend.hostState.load('agents'))?.value).toEqual({ a: 'ours' })
  expect((await backend.hostState.load('issues'))?.value).toEqual({ a: 'theirs' })
  expect((await admin(['journal', 'conflicts'])).stdout).toBe('No conflicts.\n')
})

test('[C-ROUTE-13] without PostgreSQL there is nothing to decide or apply, which it says', async () => {
  await using ground = await grounds.files()
  for (const command of ['conflicts', 'replay']) {
    const { status, stdout, stderr } = await ground.admin(['journal', command])
    expect({ status, stdout }).toEqual({ status: 69, stdout: '' })
    expect(stderr).toContain('nothing is routed to it')
  }
})
