/** One row as it lies there. */
export interface ExistingRow {
  table: string
  values: Record<string, string | number | null>
  /** False: its document cannot be read, so it has to be reported as such. */
  reads: boolean
}

/** A database as the earlier implementation left it. */
export interface ExistingDatabase {
  name: string
  /** The statements that make its tables. */
  tables: string
  rows: readonly ExistingRow[]
  /** What other programs put beside it, once the rows are there. */
  beside: string
  /** Their tables and views. */
  foreign: readonly string[]
}

export const row = (table: string, values: ExistingRow['values'], { reads = true } = {}): ExistingRow => ({
  table: `nexus_${table}`,
  values,
  reads,
})

/** The columns that the documents name for each table: what has to stay equal. */
export const documentedColumns: Record<string, readonly string[]> = {
  nexus_workflows: ['id', 'state', 'definition_id', 'current_step', 'data', 'created_at', 'updated_at'],
  nexus_completions: ['id', 'issue_number', 'agent_type', 'status', 'summary_text', 'data', 'dedup_key', 'created_at'],
  nexus_host_state: ['key', 'data', 'updated_at'],
  nexus_task_files: ['id', 'project', 'issue_number', 'filename', 'content', 'state', 'created_at', 'updated_at'],
  nexus_inbox_queue: ['id', 'project_key', 'workspace', 'filename', 'markdown_content', 'status'],
  nexus_inbox_tasks: [
    'id',
    'project_key',
    'workspace',
    'filename',
    'markdown_content',
    'status',
    'created_at',
    'claimed_at',
    'processed_at',
    'claimed_by',
    'error',
  ],
}

type Query = (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>

/** Makes the tables and rows with plain SQL, and leaves the counters of the ids where those programs would have left them. */
export const fillDatabase = async (query: Query, { tables, rows, beside }: ExistingDatabase): Promise<void> => {
  await query(tables)
  for (const { table, values } of rows) {
    const names = Object.keys(values)
    const places = names.map((_, index) => `$${index + 1}`)
    await query(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places.join(', ')})`, Object.values(values))
  }
  for (const table of new Set(rows.filter(({ values }) => typeof values['id'] === 'number').map((one) => one.table)))
    await query(`SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table}))`)
  if (beside !== '') await query(beside)
}

/** A table's rows by key, each as the sha256 of the named columns (all columns: of the whole row). */
export const rowDigests = async (
  query: Query,
  table: string,
  columns: readonly string[] = documentedColumns[table] ?? ['*'],
): Promise<Map<string, string>> => {
  const key = columns[0] === '*' ? 'row_number() OVER ()' : `"${columns[0]}"`
  const whole = columns[0] === '*' ? 't::text' : `ROW(${columns.map((name) => `"${name}"`).join(', ')})::text`
  const { rows } = await query(
    `SELECT ${key}::text AS key, encode(sha256(convert_to(${whole}, 'UTF8')), 'hex') AS digest FROM ${table} t ORDER BY 1`,
  )
  return new Map(rows.map(({ key, digest }) => [String(key), String(digest)]))
}
