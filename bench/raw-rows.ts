import type { CompletionRecord } from '@nexus/core'
import pg from 'pg'

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

/** Completions past the store, in the table of a database that was migrated for nothing else. */
export interface RawRows extends AsyncDisposable {
  write(records: readonly CompletionRecord[]): Promise<unknown>
  /** Gives how many there are. */
  readAll(): Promise<number>
}

export const openRawRows = async (dsn: string): Promise<RawRows> => {
  const sql = new pg.Client({ connectionString: dsn })
  await sql.connect()
  await sql.query(withoutTriggers)
  return {
    write(records) {
      const values = fields.map((field) => records.map((record) => record[field]))
      return sql.query({ text: plainWrite, name: 'write', values })
    },
    async readAll() {
      let count = 0
      for (let last = 0; ; ) {
        const { rows } = await sql.query<{ id: number }>({ text: plainRead, name: 'page', values: [last] })
        const end = rows.at(-1)
        if (!end) return count
        count += rows.length
        last = end.id
      }
    },
    [Symbol.asyncDispose]: () => sql.end(),
  }
}
