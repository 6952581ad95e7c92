import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend } from '@nexus/core'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { openStores } from '../../host/proof/stores.ts'
import { BulkResult } from '../src/act/bulk.ts'
import { InboxList, InboxShown } from '../src/act/inbox.ts'
import { InboxAdded } from '../src/act/inbox-add.ts'
import { InboxPurged } from '../src/act/inbox-purge.ts'
import { AuditList } from '../src/audit/commands.ts'
import { type Ground, grounds, jsonOf } from './admin.ts'

/** Brings the oldest due task to its end: done, or a dead letter. */
const end = async ({ inbox }: Backend, outcome: 'done' | 'failed'): Promise<string> => {
  const [task] = await inbox.claim({ worker: 'w', leaseMs: 60_000, limit: 1 })
  if (!task) throw new Error('nothing is due')
  await (outcome === 'done' ? inbox.complete(task.claim) : inbox.fail(task.claim, 'no such tool', { fatal: true }))
  return task.id
}

const add = async ({ admin }: Ground, ...args: string[]): Promise<string> => {
  const added = await admin(['inbox', 'add', 'shop', '--json', ...args], { input: 'The cart forgets.\n' })
  const [task] = jsonOf(InboxAdded, added).tasks
  return task?.id ?? ''
}

describe.each(Object.entries(grounds))('nexus-admin inbox on %s', (_, open) => {
  test('takes tasks from files and standard input, lists them page by page and shows one', async () => {
    await using ground = await open()
    const { admin, folder } = ground
    mkdirSync(join(folder, 'tasks'))
    for (const name of ['a.md', 'b.md']) writeFileSync(join(folder, 'tasks', name), `Task ${name}`)
    const fromFiles = jsonOf(InboxAdded, await admin(['inbox', 'add', 'shop', 'tasks/a.md', 'tasks/b.md', '--json']))
    expect(fromFiles.tasks.map(({ filename, status }) => [filename, status])).toEqual([
      ['a.md', 'enqueued'],
      ['b.md', 'enqueued'],
    ])
    const options = ['--filename', 'cart.md', '--priority', '7', '--issue', '12', '--key', 'k', '--max-attempts', '5']
    const id = await add(ground, ...options, '--run-at', '2030-01-02T03:04:05Z')
    expect(await add(ground, ...options)).toBe(id)

    const first = jsonOf(InboxList, await admin(['inbox', 'ls', '--limit', '2', '--json']))
    expect(first.tasks.map(({ filename }) => filename)).toEqual(['cart.md', 'b.md'])
    const rest = await admin(['inbox', 'ls', '--limit', '2', '--cursor', first.cursor ?? '', '--json'])
    expect(jsonOf(InboxList, rest)).toMatchObject({ tasks: [{ filename: 'a.md' }], corrupt: [], cursor: null })

    expect(jsonOf(InboxShown, await admin(['inbox', 'show', id, '--json'])).task).toMatchObject({
      id,
      project: 'shop',
      status: 'pending',
      priority: 7,
      run_at: '2030-01-02T03:04:05.000Z',
      max_attempts: 5,
      issue: '12',
      idempotency_key: 'k',
      markdown: 'The cart forgets.\n',
    })
    const shown = await admin(['inbox', 'show', id])
    expect(shown.status).toBe(0)
    expect(shown.stdout).toMatch(/^filename +cart\.md$[\s\S]*\n\nThe cart forgets\.\n$/m)
    const absent = await admin(['inbox', 'show', '999'])
    expect(absent).toMatchObject({ status: 1, stdout: '' })
    expect(absent.stderr).toContain('There is no task 999. See: nexus-admin inbox ls\n')
  })

  test('gives dead letters back, cancels and removes, by id and by filter', async () => {
    await using ground = await open()
    const { admin, env } = ground
    await using stores = await openStores(env)
    for (const name of ['a.md', 'b.md', 'c.md']) await add(ground, '--filename', name)
    const [one, two] = [await end(stores, 'failed'), await end(stores, 'failed')]
    const done = await end(stores, 'done')

    const dry = await admin(['inbox', 'requeue', '--project', 'shop', '--dry-run', '--json'])
    expect(dry.status).toBe(0)
    expect(jsonOf(BulkResult, dry)).toMatchObject({ dry_run: true, counts: { selected: 2 } })
    const unasked = await admin(['inbox', 'requeue', '--project', 'shop'])
    expect(unasked).toMatchObject({ status: 2, stdout: '' })
    expect(unasked.stderr).toMatch(/no such tool[\s\S]*inbox requeue: 2 tasks\?\nNobody can be asked here: .* --yes/)
    expect((await stores.inbox.load(one))?.status).toBe('failed')

    const mixed = await admin(['inbox', 'requeue', one, done, 'none', '--json'])
    expect(mixed.status).toBe(1)
    expect(jsonOf(BulkResult, mixed).items).toEqual([
      { id: one, status: 'requeued', ok: true },
      { id: done, status: 'refused', ok: false, reason: 'it is done' },
      { id: 'none', status: 'absent', ok: false },
    ])
    expect(await admin(['inbox', 'retry', '--status', 'failed', '--yes'])).toMatchObject({
      status: 0,
      stdout: `${two}: pending again.\n`,
    })
    const cancelled = await admin(['inbox', 'cancel', '--project', 'shop', '--yes', '--json'])
    expect(jsonOf(BulkResult, cancelled).counts).toEqual({ cancelled: 2 })

    const purge = ['inbox', 'purge', '--older-than', '0s', '--json']
    expect(jsonOf(InboxPurged, await admin([...purge, '--dry-run']))).toMatchObject({ dry_run: true, tasks: 3 })
    expect(await admin(purge)).toMatchObject({ status: 2, stdout: '' })
    expect(jsonOf(InboxPurged, await admin([...purge, '--yes', '--status', 'done'])).tasks).toBe(1)
    expect(jsonOf(InboxPurged, await admin([...purge, '--yes'])).tasks).toBe(2)

    const { changes } = jsonOf(AuditList, await admin(['audit', 'ls', '--json']))
    expect(changes.map(({ command, what, result }) => [command, what.length, result?.['status']])).toEqual([
      ['inbox purge', 0, 'done'],
      ['inbox purge', 0, 'done'],
      ['inbox cancel', 2, 'done'],
      ['inbox retry', 1, 'done'],
      ['inbox requeue', 3, 'done'],
      ...['c.md', 'b.md', 'a.md'].map(() => ['inbox add', 1, 'done']),
    ])
    expect(JSON.stringify(changes)).not.toContain('forgets')
  })
})

test('a change in bulk that ends by an error halfway says which tasks were done', async () => {
  await using ground = await grounds.postgres()
  const { admin, env } = ground
  const [a, b, c] = [
    await add(ground, '--filename', 'a.md'),
    await add(ground, '--filename', 'b.md'),
    await add(ground, '--filename', 'c.md'),
  ]
  const client = new pg.Client({ connectionString: env['NEXUS_STORAGE_DSN'] })
  await client.connect()
  await client.query(`CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$`)
  await client.query(
    `CREATE TRIGGER stop BEFORE UPDATE ON nexus_inbox_queue FOR EACH ROW WHEN (OLD.filename = 'b.md') EXECUTE FUNCTION stop()`,
  )
  await client.end()
  const ended = await admin(['inbox', 'cancel', '--project', 'shop', '--yes'])
  expect(ended.status).not.toBe(0)
  expect(ended.stdout.split('\n').slice(0, -1).sort()).toEqual(
    [`${a}: cancelled.`, `${c}: cancelled.`, '2 cancelled.'].sort(),
  )
  expect(ended.stderr).toMatch(/not this one[\s\S]*\nIt ended there: 2 of 3 tasks .*; 1 were not, or nobody knows\.\n$/)
  const json = jsonOf(BulkResult, await admin(['inbox', 'cancel', b, '--json']))
  expect(json).toMatchObject({ items: [], left: 1, error: expect.stringContaining('not this one') })
  const { changes } = jsonOf(AuditList, await admin(['audit', '--command', 'inbox cancel', '--json']))
  expect(changes.map(({ result }) => [result?.['status'], [...Object(result?.['done'])].sort()])).toEqual([
    ['failed', []],
    ['failed', [a, c].sort()],
  ])
})

test('what does not fit is a usage error, and nothing is changed', async () => {
  await using ground = await grounds.files()
  const { admin } = ground
  const wrong = [
    [['inbox', 'add', 'shop', 'nowhere.md'], /^nowhere\.md cannot be read \(ENOENT\)\.$/m],
    [['inbox', 'add', 'shop'], /^The task is empty: standard input has no text\.$/m],
    [['inbox', 'add', 'shop', '--priority', '200'], /-100 to 100/],
    [['inbox', 'requeue'], /^Say which tasks: by their ids, or by a filter\. See --help\.$/m],
    [['inbox', 'cancel', '1', '--project', 'shop'], /^Name tasks or a filter, not both\.$/m],
    [['inbox', 'purge', '--yes'], /--older-than/],
    [['inbox', 'purge', '--older-than', 'soon', '--yes'], /A date such as/],
  ] as const
  for (const [args, message] of wrong) {
    const { status, stdout, stderr } = await admin(args, { input: '' })
    expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: '' })
    expect(stderr).toMatch(message)
  }
  expect(jsonOf(AuditList, await admin(['audit', '--json'])).changes).toEqual([])
})
