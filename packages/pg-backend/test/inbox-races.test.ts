import type { ClaimedTask, EnqueueTask } from '@nexus/core'
import { expect, test } from 'vitest'
import { type PgHarness, usePostgres } from './harness.ts'

const open = usePostgres()

const request = { worker: 'w', leaseMs: 60_000 }
const task = (filename: string, fields: Partial<EnqueueTask> = {}): EnqueueTask => ({
  project: 'apollo',
  filename,
  markdown: 'text',
  ...fields,
})
const tasks = (count: number, fields: Partial<EnqueueTask> = {}): EnqueueTask[] =>
  Array.from({ length: count }, (_, n) => task(`${n}.md`, fields))

/** When some session of this database waits for another's transaction. */
const untilBlocked = async ({ sql }: PgHarness): Promise<void> => {
  for (;;) {
    const { rowCount } = await sql.query(
      `SELECT FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`,
    )
    if (rowCount) return
  }
}

test('[C-INBOX-6] a twin that was added and claimed where our look could not see it is not processed beside ours', async () => {
  await using t = await open()
  const { inbox } = t.backend
  await inbox.enqueue([task('a.md', { idempotencyKey: 'ours' }), task('b.md')])
  const theirs = await t.sql.connect()
  await theirs.query('BEGIN')
  const { rows } = await theirs.query(
    `INSERT INTO nexus_inbox_queue (project_key, workspace, filename, markdown_content, status, claim_epoch, claimed_by,
       lease_expires_at, lease_ms, hold_key)
     SELECT q.project_key, q.workspace, q.filename, '', 'processing', 1, 'x', now() + interval '1 minute', 60000,
       encode(sha256(convert_to(ROW(q.project_key, q.workspace, q.filename)::text, 'UTF8')), 'hex')
     FROM nexus_inbox_queue AS q WHERE q.filename = 'a.md' RETURNING id`,
  )
  const claiming = inbox.claim({ ...request, limit: 10 })
  await untilBlocked(t)
  await theirs.query('COMMIT')
  theirs.release()
  expect((await claiming).map(({ filename }) => filename)).toEqual(['b.md'])
  await t.sql.query(`UPDATE nexus_inbox_queue SET status = 'done' WHERE id = $1`, [rows[0].id])
  expect((await inbox.claim({ ...request, limit: 10 })).map(({ filename }) => filename)).toEqual(['a.md'])
})

test('[C-INBOX-3] who claims while others hold the first ones of all projects gets as many as he wants, fairly, and none of theirs', async () => {
  await using t = await open()
  const { inbox } = t.backend
  const projects = ['apollo', 'gemini', 'mercury']
  for (const project of projects) await inbox.enqueue(tasks(project === 'mercury' ? 400 : 60, { project }))
  const others = await t.sql.connect()
  await others.query(`BEGIN; SELECT FROM nexus_inbox_queue
    WHERE id IN (SELECT id FROM nexus_inbox_queue ORDER BY split_part(filename, '.', 1)::integer, id LIMIT 150) FOR UPDATE`)
  const claimed = await inbox.claim({ ...request, limit: 50 })
  await others.query('ROLLBACK')
  others.release()
  const held = (from: readonly ClaimedTask[]) =>
    projects.map((project) => from.filter((one) => one.project === project).length)
  expect(held(claimed)).toEqual([10, 10, 30])
  expect(claimed.filter(({ filename }) => Number.parseInt(filename, 10) < 50)).toEqual([])
  const rest: ClaimedTask[] = []
  for (let more = claimed; more.length > 0; rest.push(...more)) more = await inbox.claim({ ...request, limit: 100 })
  expect(held([...claimed, ...rest])).toEqual([60, 60, 400])
  expect(new Set([...claimed, ...rest].map(({ id }) => id)).size).toBe(520)
})

test('[C-INBOX-6] many claimers of many twins process one of each name at a time, and all in the end', async () => {
  await using t = await open()
  const backends = [t.backend, await t.peer(), await t.peer()]
  await t.backend.inbox.enqueue(
    Array.from({ length: 60 }, (_, n) => task(`${n % 6}.md`, { idempotencyKey: `${n}`, priority: n % 7 })),
  )
  const busy = new Set<string>()
  const done: ClaimedTask[] = []
  const work = async (n: number): Promise<void> => {
    const { inbox } = backends[n % 3] ?? t.backend
    while (done.length < 60) {
      const claimed = await inbox.claim({ ...request, worker: `w${n}`, limit: 3 })
      done.push(...claimed)
      for (const { filename } of claimed) {
        expect(busy.has(filename)).toBe(false)
        busy.add(filename)
      }
      for (const { filename, claim } of claimed) {
        expect(await inbox.heartbeat([claim])).toEqual({ lost: [], cancelRequested: [] })
        busy.delete(filename)
        expect(await inbox.complete(claim)).toEqual({ status: 'done' })
      }
    }
  }
  await Promise.all([0, 1, 2, 3, 4, 5].map(work))
  expect(new Set(done.map(({ id }) => id)).size).toBe(60)
})

test('[C-INBOX-17] claims of one claimer that run at once keep the cap together', async () => {
  await using t = await open()
  await t.backend.inbox.enqueue([...tasks(20), ...tasks(20, { project: 'gemini' })])
  const raced = await Promise.all(
    Array.from({ length: 8 }, () => t.backend.inbox.claim({ ...request, limit: 5, maxPerProject: 3 })),
  )
  expect(raced.flat().map(({ project }) => project)).toHaveLength(6)
})

test('[C-INBOX-4] of projects with nothing in processing the one that waited longest is served', async () => {
  await using t = await open()
  const { inbox } = t.backend
  for (const project of ['a', 'b', 'c']) await inbox.enqueue(tasks(3, { project }))
  const served: string[] = []
  for (let n = 0; n < 6; n += 1)
    for (const { project, claim } of await inbox.claim({ ...request, limit: 1 })) {
      served.push(project)
      await inbox.complete(claim)
    }
  expect(served).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
})

test('[C-INBOX-4] of more projects than are remembered each has its turn', async () => {
  await using t = await open()
  const { inbox } = t.backend
  const projects = Array.from({ length: 130 }, (_, n) => `project-${n}`)
  await inbox.enqueue(projects.flatMap((project) => tasks(2, { project })))
  const served = new Set<string>()
  for (let n = 0; n < 130; n += 1)
    for (const { project, claim } of await inbox.claim({ ...request, limit: 1 })) {
      served.add(project)
      await inbox.complete(claim)
    }
  expect(served.size).toBe(130)
})

test('[C-INBOX-3] a claimer takes what comes after the tasks that another is just taking', async () => {
  await using t = await open()
  const ids = (await t.backend.inbox.enqueue(tasks(4))).map(({ id }) => id)
  const other = await t.sql.connect()
  await other.query('BEGIN')
  await other.query('SELECT FROM nexus_inbox_queue WHERE id = ANY($1) FOR UPDATE', [ids.slice(0, 2)])
  expect((await t.backend.inbox.claim({ ...request, limit: 2 })).map(({ id }) => id)).toEqual(ids.slice(2))
  await other.query('ROLLBACK')
  other.release()
})

test('[C-INBOX-2] asking again and again uses up no ids, and a duplicate that vanished is enqueued', async () => {
  await using t = await open()
  const { inbox } = t.backend
  const [first] = await inbox.enqueue([task('a.md', { idempotencyKey: 'k' })])
  await inbox.enqueue([task('b.md')])
  for (let n = 0; n < 20; n += 1) await inbox.enqueue([task('a.md', { idempotencyKey: 'k' }), task('b.md')])
  const [next] = await inbox.enqueue([task('c.md')])
  expect(Number(next?.id) - Number(first?.id)).toBe(2)

  const other = await t.sql.connect()
  await other.query('BEGIN')
  const { rows } = await other.query(
    `INSERT INTO nexus_inbox_queue (project_key, filename, idem_key) VALUES ('apollo', 'd.md', 'gone') RETURNING id`,
  )
  const enqueuing = inbox.enqueue([task('d.md', { idempotencyKey: 'gone' })])
  await untilBlocked(t)
  await other.query('ROLLBACK')
  other.release()
  const [enqueued] = await enqueuing
  expect(enqueued?.status).toBe('enqueued')
  expect(enqueued?.id).not.toBe(String(rows[0].id))
})

test('[C-INBOX-1] a thousand tasks with long texts are stored in several statements, in order', async () => {
  await using t = await open()
  const batch = tasks(1201).map((each, n) => ({ ...each, markdown: n % 100 ? 'x' : 'y'.repeat(1024 * 1024) }))
  const results = await t.backend.inbox.enqueue(batch)
  expect(results.every(({ status }) => status === 'enqueued')).toBe(true)
  expect(results.map(({ id }) => Number(id))).toEqual(results.map(({ id }) => Number(id)).sort((a, b) => a - b))
  const claimed = await t.backend.inbox.claim({ ...request, limit: 1200 })
  expect(claimed.map(({ filename }) => filename)).toEqual(batch.slice(0, 1200).map(({ filename }) => filename))
})

test('[C-INBOX-16] a purge of more than one chunk removes all of it', async () => {
  await using t = await open()
  await t.sql.query(
    `INSERT INTO nexus_inbox_queue (project_key, filename, status) SELECT 'p', n || '.md', CASE n % 3 WHEN 0 THEN 'pending' ELSE 'done' END
     FROM generate_series(1, 3600) AS n`,
  )
  expect(await t.backend.inbox.purge({ olderThan: new Date(Date.now() + 60_000) })).toEqual({ purged: 2400 })
  expect(await t.backend.inbox.counts()).toEqual({ pending: 1200, processing: 0, done: 0, failed: 0 })
})
