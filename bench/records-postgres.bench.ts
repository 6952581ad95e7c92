import type { Backend, CompletionRecord, Records } from '@nexus/core'
import { openPgBackend } from '@nexus/pg-backend'
import pg from 'pg'
import { test } from 'vitest'
import { context } from './context.ts'
import { median, report } from './figures.ts'
import { startServer } from './server.ts'

const page = 1000
const pagesPerRound = 10
const rounds = 10

const data = JSON.stringify({
  summary: 'The login works again.',
  key_findings: ['the session was dropped', 'the cookie had no path', 'two tests were missing'],
  next_agent: 'reviewer',
  effort: { files: 3, lines: 214 },
  notes: 'x'.repeat(200),
})

const recordsFrom = (first: number): CompletionRecord[] =>
  Array.from({ length: page }, (_, index) => {
    const n = first + index
    const at = new Date(Date.UTC(2026, 0, 1) + n * 1000)
    return {
      dedupKey: `${n}:developer:complete`,
      project: `project-${n % 20}`,
      issueNumber: String(n),
      agentType: 'developer',
      status: 'complete',
      summary: 'The login works again.',
      reportId: `attempt-${n}`,
      data,
      seq: n,
      createdAt: at,
      savedAt: at,
    }
  })

/** The bulk limit: one statement of one page, past every trigger, into the same table with the same indexes. */
const plainWrite = `INSERT INTO nexus_completions (dedup_key, project, issue_number, agent_type, status, summary_text,
    report_id, data, seq, created_at, updated_at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::bigint[], $10::timestamptz[], $11::timestamptz[])`
const plainRead = 'SELECT * FROM nexus_completions WHERE id > $1 ORDER BY id LIMIT 1000'
const withoutTriggers = 'DROP TRIGGER nexus_completions_news ON nexus_completions'

const fields = [
  'dedupKey',
  'project',
  'issueNumber',
  'agentType',
  'status',
  'summary',
  'reportId',
  'data',
  'seq',
  'createdAt',
  'savedAt',
] as const

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const recordsOf = ({ records }: Backend): Records => {
  if (!records) throw new Error('the backend gives no whole records')
  return records
}

const readAll = async (records: Records): Promise<void> => {
  for (let cursor: string | null | undefined; cursor !== null; )
    cursor = (await records.read('completions', { cursor, limit: page })).cursor
}

const readAllPlainly = async (sql: pg.Client): Promise<void> => {
  for (let last = 0; ; ) {
    const { rows } = await sql.query<{ id: number }>({ text: plainRead, name: 'page', values: [last] })
    const end = rows.at(-1)
    if (!end) return
    last = end.id
  }
}

test('whole completions in bulk: postgres', async () => {
  await using server = await startServer()
  await using ours = await server.database()
  await using plain = await server.database()
  await using backend = await openPgBackend({ dsn: ours.dsn, ...context })
  await (await openPgBackend({ dsn: plain.dsn, ...context }))[Symbol.asyncDispose]()
  const sql = new pg.Client({ connectionString: plain.dsn })
  await sql.connect()
  await sql.query(withoutTriggers)
  const records = recordsOf(backend)
  const [written, plainly]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round += 1)
    for (let n = 0; n < pagesPerRound; n += 1) {
      const given = recordsFrom(1 + (round * pagesPerRound + n) * page)
      written.push(await timed(() => records.write('completions', given)))
      const values = fields.map((field) => given.map((record) => record[field]))
      plainly.push(await timed(() => sql.query({ text: plainWrite, name: 'write', values })))
    }
  const [read, readPlainly]: [number[], number[]] = [[], []]
  for (let round = 0; round < 5; round += 1) {
    read.push(await timed(() => readAll(records)))
    readPlainly.push(await timed(() => readAllPlainly(sql)))
  }
  await sql.end()
  const count = rounds * pagesPerRound * page
  report('whole completions, postgres', {
    records: count,
    'written /s': Math.round((page * 1000) / median(written)),
    'plain /s': Math.round((page * 1000) / median(plainly)),
    'write ratio': median(plainly.map((ms, index) => ms / (written[index] ?? Number.NaN))),
    'read /s': Math.round((count * 1000) / median(read)),
    'plain read /s': Math.round((count * 1000) / median(readPlainly)),
    'read ratio': median(readPlainly.map((ms, index) => ms / (read[index] ?? Number.NaN))),
    mark: 'ratio 0.85',
  })
})
