import { inboxForeignClaim } from '@nexus/testkit'
import { describe, expect, test } from 'vitest'
import { type PgHarness, usePostgres } from './harness.ts'

const open = usePostgres()

const setStatus = async ({ sql }: PgHarness, id: string, status: string): Promise<void> => {
  await sql.query('UPDATE nexus_inbox_queue SET status = $2 WHERE id = $1', [id, status])
}

describe('postgres, beside a program that writes the status', () => {
  inboxForeignClaim((t, id, status) => setStatus(t as PgHarness, id, status))((clause, title, run) =>
    test(`[${clause}] ${title}`, async () => {
      await using t = await open()
      await run(t)
    }),
  )
})

const task = { project: 'apollo', filename: 'a.md', markdown: 'text' }
const request = { worker: 'w', leaseMs: 60_000, limit: 10 }

test('[C-INBOX-18] a status that we do not know is listed, counted nowhere, and refused by name', async () => {
  await using t = await open()
  const { inbox } = t.backend
  const [{ id } = { id: '' }] = await inbox.enqueue([task])
  await setStatus(t, id, 'archived')
  expect((await inbox.list({ status: 'archived' })).items).toMatchObject([{ id, status: 'archived', claimedBy: null }])
  expect(await inbox.counts()).toEqual({ pending: 0, processing: 0, done: 0, failed: 0 })
  expect(await inbox.requeue(id)).toEqual({ status: 'refused', is: 'archived' })
  expect(await inbox.cancel(id)).toEqual({ status: 'refused', is: 'archived' })
  expect(await inbox.enqueue([task])).toMatchObject([{ status: 'enqueued' }])
})

test('[C-INBOX-2] a task that another program renames holds its new name, and frees its former', async () => {
  await using t = await open()
  const { inbox } = t.backend
  const [{ id } = { id: '' }] = await inbox.enqueue([task])
  await t.sql.query(`UPDATE nexus_inbox_queue SET filename = 'b.md' WHERE id = $1`, [id])
  expect(await inbox.enqueue([{ ...task, filename: 'b.md' }])).toEqual([{ status: 'duplicate', id }])
  expect(await inbox.enqueue([task])).toMatchObject([{ status: 'enqueued' }])
})

test('[C-INBOX-6] a claimed task that another program renames does not keep its former name busy', async () => {
  await using t = await open()
  const { inbox } = t.backend
  await inbox.enqueue([task])
  const [first] = await inbox.claim(request)
  await t.sql.query(`UPDATE nexus_inbox_queue SET filename = 'b.md' WHERE id = $1`, [first?.id])
  await inbox.enqueue([task])
  expect(await inbox.claim(request)).toMatchObject([{ filename: 'a.md' }])
})

test('[C-INBOX-2] [C-PG-3] another program inserts and claims twins of ours as it likes', async () => {
  await using t = await open()
  await t.backend.inbox.enqueue([task])
  await t.backend.inbox.claim(request)
  for (let n = 0; n < 3; n += 1) await t.foreign.insertInboxTask(task)
  const { rowCount } = await t.sql.query(`UPDATE nexus_inbox_queue SET status = 'processing' WHERE status = 'pending'`)
  expect(rowCount).toBe(3)
  const { rowCount: ended } = await t.sql.query(`UPDATE nexus_inbox_queue SET status = 'pending'`)
  expect(ended).toBe(4)
  expect(await t.backend.inbox.claim(request)).toHaveLength(1)
})

test('[C-INBOX-5] a run time without an end never comes, and is shown', async () => {
  await using t = await open()
  const [{ id } = { id: '' }] = await t.backend.inbox.enqueue([task])
  await t.sql.query(`UPDATE nexus_inbox_queue SET run_at = 'infinity' WHERE id = $1`, [id])
  expect(await t.backend.inbox.claim(request)).toEqual([])
  expect((await t.backend.inbox.load(id))?.runAt).toEqual(new Date(8.64e15))
})

test('[C-INBOX-6] tasks of one name whose workspace another program left out are claimed one after the other', async () => {
  await using t = await open()
  await t.sql.query('ALTER TABLE nexus_inbox_queue ALTER COLUMN workspace DROP NOT NULL')
  await t.sql.query(
    `INSERT INTO nexus_inbox_queue (project_key, workspace, filename) VALUES ('apollo', NULL, 'a.md'), ('apollo', NULL, 'a.md')`,
  )
  const [first, ...others] = await t.backend.inbox.claim(request)
  expect({ filename: first?.filename, others }).toEqual({ filename: 'a.md', others: [] })
  expect(await t.backend.inbox.claim(request)).toEqual([])
  if (first) await t.backend.inbox.complete(first.claim)
  expect(await t.backend.inbox.claim(request)).toHaveLength(1)
})
