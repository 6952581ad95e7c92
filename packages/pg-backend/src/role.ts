import { refuse } from './refuse.ts'
import type { Query } from './session.ts'

/** All tables that are ours. */
export const tables = [
  '_prisma_migrations',
  'nexus_workflows',
  'nexus_completions',
  'nexus_host_state',
  'nexus_task_files',
  'nexus_inbox_queue',
  'nexus_quarantine',
  'nexus_applied',
  'nexus_conflicts',
  'nexus_moved',
  'nexus_identity',
]

/** `CREATE OR REPLACE TRIGGER` came with it. */
const oldestServer = 140_000

type Role = { role: string; schema: string | null; may_create: boolean | null; version: number }

const tablesOfOthers = `SELECT c.oid::regclass::text AS name FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($1)
    AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1`

/** Says before the first statement what the role lacks, and the statement that grants it. */
export const checkRole = async (query: Query, more: readonly string[] = []): Promise<void> => {
  const [found] = (
    await query<Role>(
      `SELECT quote_ident(current_user) AS role, quote_ident(current_schema()) AS schema,
         has_schema_privilege(current_schema(), 'CREATE') AS may_create,
         current_setting('server_version_num')::integer AS version`,
    )
  ).rows
  if (!found) return
  const { role, schema, may_create, version } = found
  if (version < oldestServer)
    refuse(`The server is PostgreSQL ${Math.floor(version / 10_000)}; 14 is the oldest that serves.`)
  if (schema === null) refuse(`The role ${role} has no schema to work in. Run: CREATE SCHEMA AUTHORIZATION ${role};`)
  const grants = may_create ? [] : [`GRANT CREATE ON SCHEMA ${schema} TO ${role};`]
  const foreign = await query<{ name: string }>(tablesOfOthers, [[...tables, ...more]])
  const owns = foreign.rows.map(({ name }) => `ALTER TABLE ${name} OWNER TO ${role};`)
  const statements = [...grants, ...owns]
  if (statements.length > 0)
    refuse(`The role ${role} may not create or change the tables. Run as their owner: ${statements.join(' ')}`)
}
