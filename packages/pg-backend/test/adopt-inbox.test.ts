import { silentLogger } from '@nexus/core'
import { existingDatabases, rowDigests } from '@nexus/testkit/existing'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { adoptInbox } from '../src/index.ts'
import { allOf, changedIn, digestsOf, type ExistingPlace, existingPlace, rowsOf, tablesOf } from './existing.ts'

const fixture = existingDatabases.otherInbox
const others = tablesOf(fixture).filter((table) => table !== 'nexus_inbox_tasks')

const adopt = ({ dsn }: ExistingPlace) => adoptInbox({ dsn, logger: silentLogger })

const relations = async ({ query }: ExistingPlace): Promise<string> =>
  JSON.stringify(
    (await query(`SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1`)).rows,
  )

describe('[C-PG-1] a database that has nexus_inbox_tasks and no nexus_inbox_queue', () => {
  test('is not opened: the refusal names the command, and nothing is made beside it', async () => {
    await using place = await existingPlace(fixture)
    const before = await relations(place)
    const digests = await digestsOf(place, tablesOf(fixture), [])
    await expect(place.open()).rejects.toMatchObject({
      name: 'StoreError',
      code: 'unsupported',
      outcome: 'not-applied',
      message: expect.stringContaining('nexus-admin adopt'),
    })
    expect(await relations(place)).toBe(before)
    expect(changedIn(digests, await digestsOf(place, tablesOf(fixture), []))).toEqual([])
  })

  test('is opened once its inbox was adopted, with every row as it was under both names', async () => {
    await using place = await existingPlace(fixture)
    const digests = await digestsOf(place, others, [])
    const columns = 'id project_key workspace filename markdown_content status created_at claimed_at processed_at'
      .split(' ')
      .concat('claimed_by', 'error')
    const before = await rowDigests(place.query, 'nexus_inbox_tasks')
    expect(await adopt(place)).toEqual({ status: 'adopted' })
    {
      await using backend = await place.open()
      const { items } = await allOf((page) => backend.inbox.list(page))
      const rows = rowsOf(fixture, 'nexus_inbox_tasks').map(({ values }) => values)
      expect(items.map(({ id }) => Number(id)).sort()).toEqual(rows.map(({ id }) => id))
      for (const item of items) {
        const values = rows.find(({ id }) => String(id) === item.id)
        expect([item.project, item.status, item.error]).toEqual([
          values?.['project_key'],
          values?.['status'],
          values?.['error'],
        ])
        expect(item.createdAt).toEqual(new Date(String(values?.['created_at'])))
        expect(item.processedAt).toEqual(values?.['processed_at'] ? new Date(String(values['processed_at'])) : null)
        expect(item.claimedBy).toBeNull()
      }
    }
    expect(await rowDigests(place.query, 'nexus_inbox_tasks')).toEqual(before)
    expect(await rowDigests(place.query, 'nexus_inbox_queue', columns)).toEqual(before)
    expect(changedIn(digests, await digestsOf(place, others, []))).toEqual([])
  })

  test('is adopted once: a second call, also one at the same time, finds it done', async () => {
    await using place = await existingPlace(fixture)
    const answers = await Promise.all([adopt(place), adopt(place), adopt(place)])
    expect(answers.map(({ status }) => status).sort()).toEqual(['adopted', 'already', 'already'])
    expect(await adopt(place)).toEqual({ status: 'already' })
  })

  test('works: claim, complete, requeue of what failed and of what its worker left behind', async () => {
    await using place = await existingPlace(fixture)
    await adopt(place)
    await using backend = await place.open()
    const [task] = await backend.inbox.claim({ worker: 'w', limit: 1, leaseMs: 300_000 })
    expect(task).toMatchObject({ filename: 'task_3.md' })
    if (task) expect(await backend.inbox.complete(task.claim)).toEqual({ status: 'done' })
    expect(await backend.inbox.requeue('5')).toEqual({ status: 'requeued' })
    expect(await backend.inbox.requeue('7')).toEqual({ status: 'requeued' })
    const enqueued = await backend.inbox.enqueue([{ project: 'web', filename: 'new.md', markdown: '# New' }])
    expect(enqueued).toEqual([{ status: 'enqueued', id: '8' }])
  })
})

/** The statements of the earlier program, which knows the old name and the old columns. */
const earlierProgram = (dsn: string) => {
  const client = new pg.Client({ connectionString: dsn })
  const insert = `INSERT INTO nexus_inbox_tasks (project_key, workspace, filename, markdown_content, status, created_at)
    VALUES ($1, '/w', $2, '# T', 'pending', now()) RETURNING nexus_inbox_tasks.id`
  const next = `SELECT * FROM nexus_inbox_tasks WHERE status = 'pending' ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED`
  return {
    client,
    insert: async (project: string, filename: string) => (await client.query(insert, [project, filename])).rows[0].id,
    async claim(worker: string): Promise<{ id: number } | undefined> {
      const { rows } = await client.query(next)
      if (rows[0])
        await client.query(
          `UPDATE nexus_inbox_tasks SET status = 'processing', claimed_at = '2025-03-09 09:00:00+00', claimed_by = $2 WHERE id = $1`,
          [rows[0].id, worker],
        )
      return rows[0]
    },
    finish: (id: number, status: string, error: string | null) =>
      client.query(
        `UPDATE nexus_inbox_tasks SET status = $2, error = $3, processed_at = '2025-03-09 10:00:00+00' WHERE id = $1`,
        [id, status, error],
      ),
    row: async (id: number) => (await client.query('SELECT * FROM nexus_inbox_tasks WHERE id = $1', [id])).rows[0],
  }
}

describe('[C-PG-2] [C-PG-3] [C-INBOX-18] the earlier program goes on working through the view', () => {
  test('its inserts are ordinary tasks, with ids that go on, and ours are tasks to it', async () => {
    await using place = await existingPlace(fixture)
    await adopt(place)
    await using backend = await place.open()
    const program = earlierProgram(place.dsn)
    await program.client.connect()
    try {
      expect(await program.insert('web', 'hers.md')).toBe(8)
      expect(await backend.inbox.load('8')).toMatchObject({ filename: 'hers.md', status: 'pending', attempts: 0 })
      const [ours] = await backend.inbox.enqueue([{ project: 'web', filename: 'ours.md', markdown: '' }])
      expect(await program.row(Number(ours?.id))).toMatchObject({ filename: 'ours.md', status: 'pending' })
      expect(Object.keys(await program.row(8))).toHaveLength(11)
    } finally {
      await program.client.end()
    }
  })

  test('two of its workers and ours never take the same task, and read back what they wrote', async () => {
    await using place = await existingPlace(fixture)
    await adopt(place)
    await using backend = await place.open()
    const one = earlierProgram(place.dsn)
    const two = earlierProgram(place.dsn)
    await Promise.all([one.client.connect(), two.client.connect()])
    try {
      await one.insert('web', 'third.md')
      await one.client.query('BEGIN')
      await two.client.query('BEGIN')
      const [first, second] = [await one.claim('worker-1'), await two.claim('worker-2')]
      const [third, ...rest] = await backend.inbox.claim({ worker: 'w', limit: 10, leaseMs: 300_000 })
      expect([first?.id, second?.id, Number(third?.id)].sort()).toEqual([3, 4, 8])
      expect(rest).toEqual([])
      await one.client.query('COMMIT')
      await two.client.query('COMMIT')
      expect(await one.row(4)).toMatchObject({ claimed_by: 'worker-1', claimed_at: new Date('2025-03-09T09:00:00Z') })
      expect(await backend.inbox.load('4')).toMatchObject({ status: 'processing', claimedBy: null })
      await one.finish(4, 'failed', 'Fehler')
      await two.finish(3, 'done', null)
      const processedAt = new Date('2025-03-09T10:00:00Z')
      expect(await backend.inbox.load('4')).toMatchObject({ status: 'failed', error: 'Fehler', processedAt })
      expect(await backend.inbox.load('3')).toMatchObject({ status: 'done', processedAt })
      expect(await one.row(3)).toMatchObject({ claimed_by: 'worker-2', processed_at: processedAt })
    } finally {
      await Promise.all([one.client.end(), two.client.end()])
    }
  })

  test('its worker is not swept, and takes a task from us only by fencing us off', async () => {
    await using place = await existingPlace(fixture)
    await adopt(place)
    await using backend = await place.open()
    const [task] = await backend.inbox.claim({ worker: 'w', limit: 1, leaseMs: 300_000 })
    if (!task) throw new Error('nothing was claimed')
    await place.query(`UPDATE nexus_inbox_tasks SET status = 'pending' WHERE id = $1`, [task.id])
    await place.query(`UPDATE nexus_inbox_tasks SET status = 'processing', claimed_by = 'x' WHERE id = $1`, [task.id])
    expect(await backend.inbox.complete(task.claim)).toEqual({ status: 'lease-lost' })
    expect(await backend.inbox.resume({ worker: 'w2', leaseMs: 1000 })).toEqual([])
  })

  test('a role that was given rights on the table has them on the view', async () => {
    await using place = await existingPlace(fixture)
    const role = `earlier_${crypto.randomUUID().replaceAll('-', '')}`
    await place.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret-canary'`)
    await place.query(`GRANT SELECT, INSERT, UPDATE ON nexus_inbox_tasks TO ${role}`)
    await place.query(`GRANT USAGE ON SEQUENCE nexus_inbox_tasks_id_seq TO ${role}`)
    await adopt(place)
    const url = new URL(place.dsn)
    url.username = role
    url.password = 'secret-canary'
    const program = earlierProgram(url.href)
    await program.client.connect()
    try {
      await program.insert('web', 'hers.md')
      expect(await program.claim('worker-1')).toMatchObject({ id: 4 })
      await expect(program.client.query('DELETE FROM nexus_inbox_tasks')).rejects.toMatchObject({ code: '42501' })
    } finally {
      await program.client.end()
      await place.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })
})

describe('[C-PG-1] an inbox that cannot be adopted', () => {
  test('is refused to a role that may not change it, with the statements that let it', async () => {
    await using place = await existingPlace(fixture)
    const role = `limited_${crypto.randomUUID().replaceAll('-', '')}`
    await place.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret-canary'`)
    const url = new URL(place.dsn)
    url.username = role
    url.password = 'secret-canary'
    const limited = () => adoptInbox({ dsn: url.href, logger: silentLogger })
    const message = await limited().then(
      () => '',
      (error) => `${error.code}: ${error.message}`,
    )
    const statements = [...new Set([...others, 'nexus_inbox_tasks'])].map(
      (table) => `ALTER TABLE ${table} OWNER TO ${role};`,
    )
    statements.push(`GRANT CREATE ON SCHEMA public TO ${role};`)
    expect(message).toMatch(/^unsupported: /)
    for (const statement of statements) expect(message).toContain(statement)
    for (const statement of statements) await place.query(statement)
    expect(await limited()).toEqual({ status: 'adopted' })
    await place.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
  })

  test('while there are two, nothing is changed', async () => {
    await using place = await existingPlace(existingDatabases.shared)
    const before = await relations(place)
    await expect(adopt(place)).rejects.toMatchObject({ code: 'unsupported', message: expect.stringMatching(/Both/) })
    expect(await relations(place)).toBe(before)
  })

  test('while a session holds the table it says so, and leaves everything as it was', async () => {
    await using place = await existingPlace(fixture)
    const before = await relations(place)
    const holder = new pg.Client({ connectionString: place.dsn })
    await holder.connect()
    try {
      await holder.query('BEGIN; LOCK TABLE nexus_inbox_tasks IN ROW EXCLUSIVE MODE')
      const refusal = adoptInbox({ dsn: place.dsn, logger: silentLogger, patienceMs: 0 })
      await expect(refusal).rejects.toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
    } finally {
      await holder.end()
    }
    expect(await relations(place)).toBe(before)
  })

  test('where there is none, there is nothing to do', async () => {
    await using place = await existingPlace(existingDatabases.documented)
    expect(await adopt(place)).toEqual({ status: 'absent' })
  })
})
