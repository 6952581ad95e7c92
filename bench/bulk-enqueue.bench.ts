import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { openBoss, queue } from './peers/boss.ts'
import { idsOf } from './queue.ts'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'
import { startServer } from './server.ts'
import { openStores } from './stores.ts'

const tasks = 10_000
const markdown = `# Task\n\n${'Words of a task. '.repeat(20)}`

/** One statement, and what is known of each task afterwards: its id, that it is the only live one of its name, when it is due. */
const plain = {
  name: 'enqueue',
  text: `INSERT INTO nexus_inbox_queue AS q (project_key, workspace, filename, markdown_content, status, priority, run_at,
      max_attempts, live_key, created_at)
    SELECT g.project_key, g.workspace, g.filename, g.markdown_content, 'pending', g.priority, statement_timestamp(), g.max_attempts,
      'name ' || encode(sha256(convert_to(ROW(g.project_key, g.workspace, g.filename)::text, 'UTF8')), 'hex'), statement_timestamp()
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::integer[])
      AS g (project_key, workspace, filename, markdown_content, priority, max_attempts)
    ON CONFLICT DO NOTHING
    RETURNING q.id`,
}

const rateOf = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return (tasks * 1000) / (performance.now() - begun)
}

test('ten thousand tasks at once', async () => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  await using server = await startServer()
  await using database = await server.database()
  await using other = await server.database()
  await using third = await server.database()
  const variables = { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_DIR: root }
  await using stores = await openStores({ ...variables, NEXUS_STORAGE_DSN: database.dsn })
  await (await openStores({ ...variables, NEXUS_STORAGE_DSN: other.dsn }))[Symbol.asyncDispose]()
  await using peer = await openBoss(third.dsn)
  const pool = new pg.Pool({ connectionString: other.dsn, max: 10 })
  const acknowledged = new Set<string>()
  let round = 0
  const nameOf = (n: number) => `${round}-${n}.md`
  const numbers = Array.from({ length: tasks }, (_, n) => n)
  const rounds = await interleave({
    ours() {
      round += 1
      const given = numbers.map((n) => ({ project: `project-${n % 20}`, filename: nameOf(n), markdown }))
      return rateOf(async () => {
        for (const { id } of await stores.inbox.enqueue(given)) acknowledged.add(id)
      })
    },
    unnest() {
      round += 1
      const given = numbers.map((n) => ({ project: `project-${n % 20}`, filename: nameOf(n), markdown }))
      return rateOf(() =>
        pool.query({
          ...plain,
          values: [
            given.map(({ project }) => project),
            given.map(() => ''),
            given.map(({ filename }) => filename),
            given.map((task) => task.markdown),
            given.map(() => 0),
            given.map(() => 3),
          ],
        }),
      )
    },
    'pg-boss'() {
      round += 1
      const given = numbers.map((n) => ({
        name: queue,
        data: { project: `project-${n % 20}`, filename: nameOf(n), markdown },
      }))
      return rateOf(() => peer.boss.insert(given))
    },
  })
  const there = await idsOf(stores.inbox, 'pending')
  expect(there).toEqual(acknowledged)
  expect(acknowledged.size).toBe((rounds.ours.length + 1) * tasks)
  expect(await peer.count('created')).toBe(acknowledged.size)
  publish({ row: 'enqueue 10,000 tasks at once', unit: '/s', rounds, against: 'unnest', mark: { atLeast: 0.85 } })
  await pool.end()
  await rm(root, { recursive: true })
})
