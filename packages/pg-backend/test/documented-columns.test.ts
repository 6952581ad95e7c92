import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Row } from '../src/session.ts'
import { type Database, migratedDatabase } from './database.ts'

let database: Database
beforeAll(async () => {
  database = await migratedDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const one = async (text: string, values: unknown[] = []): Promise<Row> => {
  const { rows } = await database.client.query(text, values)
  expect(rows).toHaveLength(1)
  return rows[0] ?? {}
}

describe('[C-ALL-10] a program that knows only the documented columns', () => {
  test('keeps workflows', async () => {
    await one(
      `INSERT INTO nexus_workflows (id, name, state, current_step, data, created_at)
       VALUES ('p-1-full', 'One', 'pending', 0, '{}', now()) RETURNING id`,
    )
    const former = await one(`SELECT updated_at FROM nexus_workflows WHERE id = 'p-1-full'`)
    const now = await one(`UPDATE nexus_workflows SET state = 'paused' WHERE id = 'p-1-full' RETURNING *`)
    expect(now).toMatchObject({ name: 'One', state: 'paused', current_step: 0, data: '{}' })
    expect(Number(now['updated_at'])).toBeGreaterThan(Number(former['updated_at']))
  })

  test('keeps completions, and each save of it is the newest', async () => {
    const insert = `INSERT INTO nexus_completions (issue_number, agent_type, status, summary_text, data, dedup_key, created_at)
      VALUES ($1, 'developer', 'complete', 'done', '{}', $2, now()) RETURNING *`
    const first = await one(insert, ['1', '1:developer:complete'])
    const second = await one(insert, ['2', '2:developer:complete'])
    expect(Number(second['seq'])).toBeGreaterThan(Number(first['seq']))
    const again = await one(
      `UPDATE nexus_completions SET summary_text = 'done twice' WHERE dedup_key = '1:developer:complete' RETURNING *`,
    )
    expect(Number(again['seq'])).toBeGreaterThan(Number(second['seq']))
    await expect(one(insert, ['1', '1:developer:complete'])).rejects.toMatchObject({ code: 'invalid' })
  })

  test('keeps host state', async () => {
    await one(`INSERT INTO nexus_host_state (key, data, updated_at) VALUES ('k', '[]', 'epoch') RETURNING key`)
    const now = await one(`UPDATE nexus_host_state SET data = '{}' WHERE key = 'k' RETURNING *`)
    expect(Number(now['updated_at'])).toBeGreaterThan(0)
    const dated = await one(
      `UPDATE nexus_host_state SET data = '1', updated_at = '2020-01-01T00:00:00Z' WHERE key = 'k' RETURNING *`,
    )
    expect(dated['updated_at']).toEqual(new Date('2020-01-01T00:00:00Z'))
  })

  test('keeps task files, twins included', async () => {
    const insert = `INSERT INTO nexus_task_files (project, filename, content, state, created_at, updated_at)
      VALUES ('p', 'a.md', '# A', 'active', now(), now()) RETURNING *`
    const first = await one(insert)
    const second = await one(insert)
    expect(second['id']).not.toBe(first['id'])
    expect(first).toMatchObject({ issue_number: null, identity_key: null })
    await one(`UPDATE nexus_task_files SET issue_number = '7', state = 'closed' WHERE id = $1 RETURNING id`, [
      first['id'],
    ])
  })

  test('enqueues tasks with as little as a project and a filename', async () => {
    expect(
      await one(`INSERT INTO nexus_inbox_queue (project_key, filename) VALUES ('p', 'a.md') RETURNING *`),
    ).toMatchObject({
      workspace: '',
      markdown_content: '',
      status: 'pending',
      priority: 0,
      claim_epoch: 0,
      live_key: null,
    })
    const insert = `INSERT INTO nexus_inbox_queue (project_key, workspace, filename, markdown_content, status)
      VALUES ('p', '/w', $1, '# A', 'pending') RETURNING id`
    await one(insert, ['a.md'])
    await one(insert, ['a.md'])
    await one(insert, ['é'.repeat(20_000)])
  })
})

describe('[C-COMPLETION-4] a completion', () => {
  const save = `INSERT INTO nexus_completions (issue_number, agent_type, status, summary_text, data, dedup_key, report_id, seq)
    VALUES ($1, 'reviewer', 'complete', 's', '{}', $1 || ':reviewer:complete', 'run-1', nextval('nexus_completions_order'))
    RETURNING *`

  test('loses the report id when another program rewrites it', async () => {
    const ours = await one(save, ['11'])
    expect(ours['report_id']).toBe('run-1')
    const theirs = await one(`UPDATE nexus_completions SET data = '{"a":1}' WHERE id = $1 RETURNING *`, [ours['id']])
    expect(theirs['report_id']).toBeNull()
    expect(Number(theirs['seq'])).toBeGreaterThan(Number(ours['seq']))
  })

  test('keeps what our own save sets', async () => {
    const first = await one(save, ['12'])
    const second = await one(
      `UPDATE nexus_completions SET data = '{"a":1}', report_id = 'run-2', seq = nextval('nexus_completions_order')
       WHERE id = $1 RETURNING *`,
      [first['id']],
    )
    expect(second['report_id']).toBe('run-2')
    expect(Number(second['seq'])).toBe(Number(first['seq']) + 1)
    const assigned = await one(`UPDATE nexus_completions SET project = 'p' WHERE id = $1 RETURNING *`, [first['id']])
    expect(assigned).toMatchObject({ report_id: 'run-2', seq: second['seq'] })
  })
})

describe('[C-TASK-5] a task file that another program renames', () => {
  test('frees its identity; a change of its words does not', async () => {
    const insert = `INSERT INTO nexus_task_files (project, filename, identity_key) VALUES ('q', 'a.md', 'q/a.md') RETURNING id`
    const { id } = await one(insert)
    await expect(one(insert)).rejects.toMatchObject({ code: 'invalid' })
    expect(await one(`UPDATE nexus_task_files SET content = 'x' WHERE id = $1 RETURNING *`, [id])).toMatchObject({
      identity_key: 'q/a.md',
    })
    expect(await one(`UPDATE nexus_task_files SET filename = 'b.md' WHERE id = $1 RETURNING *`, [id])).toMatchObject({
      identity_key: null,
    })
    await one(insert)
  })
})

describe('[C-INBOX-7] [C-INBOX-18] an inbox row whose status another program changes', () => {
  const enqueue = (name: string) =>
    one(
      `INSERT INTO nexus_inbox_queue (project_key, filename, live_key, idem_key) VALUES ('p', $1, 'l/' || $1, 'i/' || $1)
       RETURNING *`,
      [name],
    )
  const claim = (id: unknown) =>
    one(
      `UPDATE nexus_inbox_queue SET status = 'processing', claim_epoch = claim_epoch + 1, claimed_by = 'w',
         claimed_at = clock_timestamp(), lease_expires_at = clock_timestamp() + interval '5 min', running_key = 'r/' || id
       WHERE id = $1 RETURNING *`,
      [id],
    )
  const setStatus = (id: unknown, status: string) =>
    one('UPDATE nexus_inbox_queue SET status = $2 WHERE id = $1 RETURNING *', [id, status])

  test('keeps what our own claim sets', async () => {
    const { id } = await enqueue('ours')
    expect(await claim(id)).toMatchObject({ claim_epoch: 1, claimed_by: 'w', lease_expires_at: expect.any(Date) })
  })

  test('is claimed with a new epoch and no lease', async () => {
    const { id } = await enqueue('theirs')
    const claimed = await setStatus(id, 'processing')
    expect(claimed).toMatchObject({ claim_epoch: 1, claimed_by: null, lease_expires_at: null })
    expect(claimed['claimed_at']).toBeInstanceOf(Date)
  })

  test('and sets back to pending, has no claim left, and the epoch that it had', async () => {
    const { id } = await enqueue('back')
    await claim(id)
    expect(await setStatus(id, 'pending')).toMatchObject({
      claim_epoch: 1,
      claimed_by: null,
      claimed_at: null,
      lease_expires_at: null,
      running_key: null,
      live_key: 'l/back',
    })
    expect(await setStatus(id, 'processing')).toMatchObject({ claim_epoch: 2 })
  })

  test.each(['done', 'failed', 'archived'])(
    'and ends as %s, frees its name and its issue, and is stamped',
    async (status) => {
      const { id } = await enqueue(status)
      await claim(id)
      const ended = await setStatus(id, status)
      expect(ended).toMatchObject({ live_key: null, running_key: null, lease_expires_at: null, claimed_by: 'w' })
      expect(ended).toMatchObject({ claim_epoch: 1, idem_key: `i/${status}`, processed_at: expect.any(Date) })
    },
  )

  test('frees its name when it is renamed', async () => {
    const { id } = await enqueue('renamed')
    expect(await one(`UPDATE nexus_inbox_queue SET filename = 'other' WHERE id = $1 RETURNING *`, [id])).toMatchObject({
      live_key: null,
      idem_key: 'i/renamed',
    })
  })
})

test('[C-INBOX-19] a task of another program wakes listeners up; one of ours is left to who enqueues it', async () => {
  const client = await database.client.pool.connect()
  const heard: unknown[] = []
  client.on('notification', ({ payload }) => heard.push(payload))
  await client.query('LISTEN nexus_inbox')
  await client.query(`INSERT INTO nexus_inbox_queue (project_key, filename, live_key) VALUES ('ours', 'x', 'lk')`)
  await client.query(`INSERT INTO nexus_inbox_queue (project_key, filename) VALUES ('a', 'x'), ('a', 'y'), ('b', 'x')`)
  await client.query(`INSERT INTO nexus_inbox_queue (project_key, filename, status) VALUES ('done', 'x', 'done')`)
  await client.query('SELECT 1')
  client.release(true)
  expect(heard.sort()).toEqual(['a', 'b'])
})
