import { type Statement, statement } from '../query.ts'
import type { Row } from '../session.ts'
import { identityKey } from './completions.ts'
import { asMoverInline } from './moved.ts'
import { pairHash } from './task-files.ts'

/** One page in the order of a unique column; $1 limit, $2 where the page before ended. */
const pageOf =
  <R extends Record<string, unknown>>(columns: string, from: string, key: string) =>
  ({ after }: { after: boolean }): Statement<R> =>
    statement<R>(`SELECT ${columns} FROM ${from} ${after ? `WHERE ${key} > $2` : ''} ORDER BY ${key} LIMIT $1`)

/**
 * `new`: where nothing is there under these keys, else it fails as a duplicate. It is all that copying a store takes: one
 * statement without a transaction around it, so one way to the server and back. `over`: over what is there.
 */
export type Writing = 'new' | 'over'
type Written<R extends Row = Row> = { readonly [W in Writing]: Statement<R> }

const writing = (insert: string, { before = '', over }: { before?: string; over: string }): Written => ({
  new: statement(insert),
  over: statement(`${before} ${insert} ${over}`),
})

/** A copy of what cannot be read is kept before it is replaced or taken away. $1: the keys. */
const keep = (table: string, key: string): string =>
  `kept AS (
     INSERT INTO nexus_quarantine (store, key, data, reason)
     SELECT '${table}', k.${key}, k.data, 'unreadable, moved over' FROM ${table} AS k
     WHERE k.${key} = ANY($1::text[]) AND NOT nexus_is_readable(k.data))`

const removeKept = (table: string, key: string): Statement =>
  statement(`WITH ${keep(table, key)} DELETE FROM ${table} AS r WHERE r.${key} = ANY($1::text[])`)

export type WorkflowRecordRow = {
  id: string
  name: string | null
  state: string
  current_step: number
  data: string
  created_at: Date | number
  updated_at: Date | number | null
}

const workflowColumns = 'w.id, w.name, w.state, w.current_step, w.data, w.created_at, w.updated_at'

export const pageWorkflows = pageOf<WorkflowRecordRow>(workflowColumns, 'nexus_workflows AS w', 'w.id')
export const findWorkflows = statement<WorkflowRecordRow>(
  `SELECT ${workflowColumns} FROM nexus_workflows AS w WHERE w.id = ANY($1::text[])`,
)
export const writeWorkflows = writing(
  `INSERT INTO nexus_workflows AS w
     (id, name, state, current_step, data, project, issue_number, created_at, updated_at, saves)
   SELECT g.*, 1 FROM ${asMoverInline} CROSS JOIN unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[],
     $8::timestamptz[], $9::timestamptz[]) AS g`,
  {
    before: `WITH ${keep('nexus_workflows', 'id')}`,
    over: `ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, state = EXCLUDED.state,
     current_step = EXCLUDED.current_step, data = EXCLUDED.data, project = EXCLUDED.project,
     issue_number = EXCLUDED.issue_number, created_at = EXCLUDED.created_at, updated_at = EXCLUDED.updated_at,
     saves = w.saves + 1`,
  },
)
export const removeWorkflows = removeKept('nexus_workflows', 'id')

export type CompletionRecordRow = {
  id: number
  dedup_key: string
  project: string | null
  issue_number: string
  agent_type: string
  status: string
  summary_text: string
  report_id: string | null
  data: string
  /** A bigint, as text. */
  seq: string | null
  created_at: Date | number
  updated_at: Date | number | null
}

const completionColumns = `c.id, c.dedup_key, c.project, c.issue_number, c.agent_type, c.status, c.summary_text, c.report_id,
  c.data, c.seq, c.created_at, c.updated_at`

export const pageCompletions = pageOf<CompletionRecordRow>(completionColumns, 'nexus_completions AS c', 'c.id')
export const findCompletions = statement<CompletionRecordRow>(
  `SELECT ${completionColumns} FROM nexus_completions AS c WHERE c.dedup_key = ANY($1::text[])`,
)

const givenIdentity = `CASE WHEN g.owns AND g.project IS NOT NULL
     THEN ${identityKey('g.project', 'g.issue_number', 'g.agent_type', 'g.status')} END`

/**
 * $12: whether it takes the identity that its project, issue, agent and status make. $13: the number behind which the order of
 * saving goes on.
 */
export const writeCompletions = writing(
  `INSERT INTO nexus_completions AS c (dedup_key, project, issue_number, agent_type, status, summary_text, report_id, data,
     seq, created_at, updated_at, identity_key)
   SELECT g.dedup_key, g.project, g.issue_number, g.agent_type, g.status, g.summary_text, g.report_id, g.data, g.seq,
     g.created_at, g.updated_at, ${givenIdentity}
   FROM ${asMoverInline} CROSS JOIN (SELECT nexus_pass_over('nexus_completions_order', $13::bigint) OFFSET 0) AS passed
     CROSS JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
     $10::timestamptz[], $11::timestamptz[], $12::boolean[]) AS g (dedup_key, project, issue_number, agent_type, status,
     summary_text, report_id, data, seq, created_at, updated_at, owns)`,
  {
    before: `WITH ${keep('nexus_completions', 'dedup_key')}`,
    over: `ON CONFLICT (dedup_key) DO UPDATE SET project = EXCLUDED.project, issue_number = EXCLUDED.issue_number,
     agent_type = EXCLUDED.agent_type, status = EXCLUDED.status, summary_text = EXCLUDED.summary_text,
     report_id = EXCLUDED.report_id, data = EXCLUDED.data, seq = EXCLUDED.seq, created_at = EXCLUDED.created_at,
     updated_at = EXCLUDED.updated_at, identity_key = EXCLUDED.identity_key`,
  },
)

/** Whoever has an identity that is about to be taken gives it up; he stays what he is. */
export const displaceCompletions = statement(
  `UPDATE nexus_completions AS c SET identity_key = NULL
   FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS g (project, issue_number, agent_type, status)
   WHERE c.identity_key = ${identityKey('g.project', 'g.issue_number', 'g.agent_type', 'g.status')}`,
)
export const removeCompletions = removeKept('nexus_completions', 'dedup_key')

export type HostStateRecordRow = { key: string; data: string; updated_at: Date | number }

const stateColumns = 's.key, s.data, s.updated_at'

export const pageHostState = pageOf<HostStateRecordRow>(stateColumns, 'nexus_host_state AS s', 's.key')
export const findHostState = statement<HostStateRecordRow>(
  `SELECT ${stateColumns} FROM nexus_host_state AS s WHERE s.key = ANY($1::text[])`,
)
export const writeHostState = writing(
  `INSERT INTO nexus_host_state AS s (key, data, updated_at)
   SELECT g.* FROM ${asMoverInline} CROSS JOIN unnest($1::text[], $2::text[], $3::timestamptz[]) AS g`,
  {
    before: `WITH ${keep('nexus_host_state', 'key')}`,
    over: 'ON CONFLICT (key) DO UPDATE SET data = EXCLUDED.data, updated_at = EXCLUDED.updated_at',
  },
)
export const removeHostState = removeKept('nexus_host_state', 'key')

export type TaskFileRecordRow = {
  id: number
  project: string
  filename: string
  state: string
  content: string
  issue_number: string | null
  created_at: Date | number
  updated_at: Date | number
  is_newest: boolean
}

const fileColumns = 'f.id, f.project, f.filename, f.state, f.content, f.issue_number, f.created_at, f.updated_at'

/** By a hash of the whole name, for which there is an index. */
const sameFile = (a: string, b: string): string =>
  `${pairHash(`${a}.filename`, `${a}.project`)} = ${pairHash(`${b}.filename`, `${b}.project`)}
     AND (${a}.project, ${a}.filename, ${a}.state) IS NOT DISTINCT FROM (${b}.project, ${b}.filename, ${b}.state)`

/** Others may make several files of one name in one state: one of them is the record. */
const isNewest = `NOT EXISTS (SELECT FROM nexus_task_files AS n WHERE ${sameFile('n', 'f')}
     AND (n.created_at, n.id) > (f.created_at, f.id)) AS is_newest`

export const pageTaskFiles = pageOf<TaskFileRecordRow>(`${fileColumns}, ${isNewest}`, 'nexus_task_files AS f', 'f.id')

const newestOf = (columns: string): string =>
  `FROM unnest($1::text[], $2::text[], $3::text[]) AS g (project, filename, state) CROSS JOIN LATERAL (
     SELECT ${columns} FROM nexus_task_files AS f WHERE ${sameFile('f', 'g')}
     ORDER BY f.created_at DESC, f.id DESC LIMIT 1) AS f`

export const findTaskFiles = statement<TaskFileRecordRow>(`SELECT ${fileColumns}, true AS is_newest ${newestOf('f.*')}`)

export const idsOfTaskFiles = statement<{ id: number; project: string; filename: string; state: string }>(
  `SELECT f.id, f.project, f.filename, f.state ${newestOf('f.id, f.project, f.filename, f.state')}`,
)

/** $1: the row that is there, or null. $9: a key that no two rows of ours may have, for at most one file of a name. */
export const writeTaskFiles = statement(
  `INSERT INTO nexus_task_files AS f
     (id, project, filename, state, content, issue_number, created_at, updated_at, identity_key)
   SELECT coalesce(g.id, nextval((SELECT pg_get_serial_sequence('nexus_task_files', 'id')::regclass))::integer), g.project,
     g.filename, g.state, g.content, g.issue_number, g.created_at, g.updated_at, g.identity_key
   FROM ${asMoverInline} CROSS JOIN unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
     $8::timestamptz[], $9::text[]) AS g
     (id, project, filename, state, content, issue_number, created_at, updated_at, identity_key)
   ON CONFLICT (id) DO UPDATE SET project = EXCLUDED.project, filename = EXCLUDED.filename, state = EXCLUDED.state,
     content = EXCLUDED.content, issue_number = EXCLUDED.issue_number, created_at = EXCLUDED.created_at,
     updated_at = EXCLUDED.updated_at, identity_key = EXCLUDED.identity_key`,
)

export const displaceTaskFiles = statement(
  `UPDATE nexus_task_files AS f SET identity_key = NULL WHERE f.identity_key = ANY($1::text[])`,
)

export const removeTaskFiles = statement(`DELETE FROM nexus_task_files AS f WHERE f.id = ANY($1::integer[])`)
