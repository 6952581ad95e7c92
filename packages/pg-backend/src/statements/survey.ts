import { type Statement, statement } from '../query.ts'

export type ServerRow = {
  role: string
  schema: string | null
  may_create: boolean | null
  version: number
  standby: boolean
  /** Epoch milliseconds of the server's clock. */
  now: number
}

export const readServer = statement<ServerRow>(
  `SELECT quote_ident(current_user) AS role, quote_ident(current_schema()) AS schema,
     has_schema_privilege(current_schema(), 'CREATE') AS may_create,
     current_setting('server_version_num')::integer AS version, pg_is_in_recovery() AS standby,
     (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`,
)

export type RightRow = { name: string; kind: 'TABLE' | 'SEQUENCE'; lacks: string[] }

const lacking = (check: string, rights: readonly string[]): string =>
  `array_remove(ARRAY[${rights.map((right) => `CASE WHEN NOT ${check}(c.oid, '${right}') THEN '${right}' END`).join(', ')}], NULL)`

/** $1: tables. What the role may not do with them, and with the counters of their ids. */
export const readRights = statement<RightRow>(
  `SELECT quote_ident(c.relname) AS name, 'TABLE' AS kind,
     ${lacking('has_table_privilege', ['SELECT', 'INSERT', 'UPDATE', 'DELETE'])} AS lacks
   FROM pg_class c
   WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($1) AND c.relkind IN ('r', 'p')
   UNION ALL
   SELECT quote_ident(c.relname), 'SEQUENCE', ${lacking('has_sequence_privilege', ['USAGE'])}
   FROM pg_class c JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
     JOIN pg_class t ON t.oid = d.refobjid
   WHERE c.relkind = 'S' AND t.relnamespace = current_schema()::regnamespace AND t.relname = ANY($1)
   ORDER BY 1`,
)

export type ContentsRow = {
  dead_letters: number
  overdue: number
  foreign_claims: number
  conflicts: number
  quarantined: number
  workflows: boolean
  completions: boolean
  host_state: boolean
  task_files: boolean
  inbox: boolean
}

const count = (from: string): string => `(SELECT count(*)::integer FROM ${from})`
const any = (table: string): string => `EXISTS (SELECT FROM ${table})`

/** $1: where counting of dead letters stops. */
export const readContents = statement<ContentsRow>(
  `SELECT
     ${count(`(SELECT FROM nexus_inbox_queue WHERE status = 'failed' LIMIT $1) AS counted`)} AS dead_letters,
     ${count(`nexus_inbox_queue WHERE status = 'processing' AND lease_expires_at < clock_timestamp()`)} AS overdue,
     ${count(`nexus_inbox_queue WHERE status = 'processing' AND lease_expires_at IS NULL`)} AS foreign_claims,
     ${count('nexus_conflicts')} AS conflicts, ${count('nexus_quarantine')} AS quarantined,
     ${any('nexus_workflows')} AS workflows, ${any('nexus_completions')} AS completions,
     ${any('nexus_host_state')} AS host_state, ${any('nexus_task_files')} AS task_files,
     ${any('nexus_inbox_queue')} AS inbox`,
)

export type DocumentRow = { key: string; data: string }

const documents = (table: string, key: string): Statement<DocumentRow> =>
  statement(
    `SELECT ${key}::text AS key, data FROM ${table}
     WHERE $1::text IS NULL OR ${key} > $1::${key === 'id' && table === 'nexus_completions' ? 'integer' : 'text'}
     ORDER BY ${key} LIMIT $2`,
  )

/** Documents by their keys: $1 is the key before, null at first; $2 how many. */
export const listDocuments = {
  workflows: documents('nexus_workflows', 'id'),
  completions: documents('nexus_completions', 'id'),
  hostState: documents('nexus_host_state', 'key'),
} as const

/** $1: the keys of the host state that are wanted. */
export const readStates = statement<DocumentRow>('SELECT key, data FROM nexus_host_state WHERE key = ANY($1)')
