import type { Backend, InboxRecord, Records } from '@nexus/core'
import { expect, test, vi } from 'vitest'
import { usePostgres } from './harness.ts'

const open = usePostgres()
const at = new Date('2026-03-04T05:06:07.089Z')

const recordsOf = ({ records }: Backend): Records => {
  if (!records) throw new Error('the backend gives no whole records')
  return records
}

const waiting = (id: string): InboxRecord => ({
  id,
  project: 'shop',
  workspace: '',
  filename: `${id}.md`,
  markdown: 'text',
  status: 'pending',
  priority: 0,
  runAt: at,
  attempts: 0,
  recoveries: 0,
  maxAttempts: 3,
  idempotencyKey: null,
  issueNumber: null,
  error: null,
  cancelRequested: false,
  createdAt: at,
  processedAt: null,
  epoch: 0,
  hold: null,
})

test('[C-MOVE-7] the mark waits for a write under way, and refuses every later one, other programs included', async () => {
  await using t = await open()
  const writer = await t.sql.connect()
  await writer.query(`BEGIN; INSERT INTO nexus_host_state (key, data) VALUES ('under way', '1')`)
  const order: string[] = []
  const marked = recordsOf(t.backend)
    .markMoved([{ store: 'hostState', to: 'filesystem', at }])
    .then(() => order.push('marked'))
  await vi.waitFor(async () => {
    const { rows } = await t.sql.query(
      `SELECT FROM pg_locks WHERE NOT granted AND relation = 'nexus_host_state'::regclass`,
    )
    expect(rows).toHaveLength(1)
  })
  order.push('committed')
  await writer.query('COMMIT')
  writer.release()
  await marked
  expect(order).toEqual(['committed', 'marked'])
  const { items } = await recordsOf(t.backend).read('hostState')
  expect(items.map(({ key }) => key)).toEqual(['under way'])
  for (const statement of [
    `INSERT INTO nexus_host_state (key, data) VALUES ('later', '1')`,
    `UPDATE nexus_host_state SET data = '2' WHERE key = 'nobody'`,
    'DELETE FROM nexus_host_state',
    'TRUNCATE nexus_host_state',
  ])
    await expect(t.sql.query(statement), statement).rejects.toMatchObject({
      code: 'NX001',
      message: 'the store hostState moved to filesystem: nothing is written to nexus_host_state any more',
    })
  expect((await t.sql.query('SELECT data FROM nexus_host_state')).rows).toEqual([{ data: '1' }])
  await t.sql.query(`INSERT INTO nexus_workflows (id, state, current_step, data) VALUES ('w', 'pending', 0, '{}')`)
})

test('[C-MOVE-7] a mark that cannot be put leaves none behind', async () => {
  await using t = await open()
  await t.sql.query('ALTER TABLE nexus_task_files RENAME TO elsewhere')
  const marks = (['inbox', 'taskFiles'] as const).map((store) => ({ store, to: 'filesystem', at }))
  await expect(recordsOf(t.backend).markMoved(marks)).rejects.toMatchObject({ code: 'unsupported' })
  expect(await recordsOf(t.backend).moved()).toEqual([])
  expect(await t.backend.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown: '' }])).toHaveLength(1)
})

test('[C-MOVE-5] a number that callers know belongs to its task: one that came with another id gives way', async () => {
  await using t = await open()
  const records = recordsOf(t.backend)
  await records.write('inbox', [waiting('from files'), waiting('another')])
  const { rows } = await t.sql.query<{ id: number }>('SELECT id FROM nexus_inbox_queue ORDER BY id')
  const taken = String(rows[0]?.id)
  expect(await t.backend.inbox.load(taken)).toBeNull()
  expect(await t.backend.inbox.cancel(taken)).toEqual({ status: 'absent' })
  await records.write('inbox', [waiting(taken), waiting('another')])
  const ids = (await records.read('inbox')).items.map(({ id }) => id)
  expect(ids.toSorted()).toEqual([taken, 'another', 'from files'].toSorted())
  for (const id of ids) expect(await t.backend.inbox.load(id)).toMatchObject({ id, filename: `${id}.md` })
  expect(await t.backend.inbox.cancel(taken)).toEqual({ status: 'cancelled' })
  expect(await t.backend.inbox.load('from files')).toMatchObject({ status: 'pending' })
})

test('[C-MOVE-5] of two who pass over numbers at once the second waits, and moves them no way back', async () => {
  await using t = await open()
  const [first, second] = [await t.sql.connect(), await t.sql.connect()]
  const passOver = (number: number): string => `SELECT nexus_pass_over('nexus_completions_order', ${number})`
  await first.query('BEGIN')
  await first.query(passOver(5_000_000))
  const order: string[] = []
  const passed = second.query(passOver(1_000_000)).then(() => order.push('second'))
  await vi.waitFor(async () => {
    const { rows } = await t.sql.query(
      `SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )
    expect(rows).toHaveLength(1)
  })
  order.push('first')
  await first.query('COMMIT')
  await passed
  for (const client of [first, second]) client.release()
  expect(order).toEqual(['first', 'second'])
  const { rows } = await t.sql.query('SELECT last_value FROM nexus_completions_order')
  expect(rows).toEqual([{ last_value: '5010000' }])
})

test('[C-MOVE-3] an id that would use up the numbers is kept beside one', async () => {
  await using t = await open()
  await recordsOf(t.backend).write('inbox', [waiting('2147483647')])
  expect(await t.backend.inbox.load('2147483647')).toMatchObject({ filename: '2147483647.md' })
  const [next] = await t.backend.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown: '' }])
  expect(next).toEqual({ status: 'enqueued', id: '2' })
})

test('[C-MOVE-1] of task files with one name in one state the newest is the record, and the others are told of', async () => {
  await using t = await open()
  const file = (content: string, created: string) =>
    `('shop', 'cart.md', '${content}', 'active', '${created}', '${created}')`
  await t.sql.query(
    `INSERT INTO nexus_task_files (project, filename, content, state, created_at, updated_at)
     VALUES ${file('newest', '2026-01-03')}, ${file('oldest', '2026-01-01')}, ${file('older', '2026-01-02')}`,
  )
  const { items, corrupt } = await recordsOf(t.backend).read('taskFiles')
  expect(items.map(({ content }) => content)).toEqual(['newest'])
  const reason = 'is another file of the name cart.md that is active in shop, and only the newest can move'
  expect(corrupt).toEqual(
    [2, 3].map((id) => ({ name: 'cart.md', place: `nexus_task_files id=${id}`, reason, rev: expect.any(String) })),
  )
  expect(new Set(corrupt.map(({ rev }) => rev)).size).toBe(2)
})

test('[C-ALL-9] an unreadable record has the rev that its store gives it, and a copy is kept when one is written over it', async () => {
  await using t = await open()
  await t.sql.query(`INSERT INTO nexus_host_state (key, data) VALUES ('cut', '{"a":')`)
  const { corrupt } = await recordsOf(t.backend).read('hostState')
  const met = await t.backend.hostState.load('cut').catch((error: unknown) => error)
  expect(met).toMatchObject({ code: 'corrupt', rev: corrupt[0]?.rev })
  await recordsOf(t.backend).write('hostState', [{ key: 'cut', data: '{}', updatedAt: at }])
  expect(await t.backend.hostState.load('cut')).toMatchObject({ value: {}, updatedAt: at })
  expect((await t.sql.query('SELECT store, key, data FROM nexus_quarantine')).rows).toEqual([
    { store: 'nexus_host_state', key: 'cut', data: '{"a":' },
  ])
})
