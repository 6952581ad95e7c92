import { type Statement, statement } from '../query.ts'
import { revOf } from '../rev.ts'

export type CompletionRow = {
  id: number
  project: string | null
  issue_number: string
  agent_type: string
  status: string
  summary_text: string
  data: string
  report_id: string | null
  dedup_key: string
  created_at: Date | number
  updated_at: Date | number | null
  /** With the microseconds that a Date has not. */
  created_text: string
  /** A bigint, as text. */
  seq: string | null
  hash: string
}

export type SavedRow = { status: 'created' | 'updated' | 'unchanged'; dedup_key: string }

const hash = revOf('c', [
  'seq',
  'issue_number',
  'agent_type',
  'status',
  'summary_text',
  'data',
  'report_id',
  'dedup_key',
])
const columns = `c.id, c.project, c.issue_number, c.agent_type, c.status, c.summary_text, c.data, c.report_id, c.dedup_key,
  c.created_at, c.updated_at, c.created_at::text AS created_text, c.seq, ${hash} AS hash`

const latestFirst = 'c.seq DESC NULLS LAST, c.created_at DESC, c.id DESC'
const identity =
  'c.project = $1::text AND c.issue_number = $2::text AND c.agent_type = $3::text AND c.status = $4::text'
const words = '(c.summary_text, c.data, c.report_id)'

/** Other programs can make rows of one identity; the latest is ours to go on with. */
const mine = `SELECT ${columns} FROM nexus_completions AS c WHERE ${identity} ORDER BY ${latestFirst} LIMIT 1`

export const findCompletion = statement<CompletionRow>(mine)

/** The sequence is set in so many words: that is how the trigger tells our writes from those of other programs. */
const rewrite = `UPDATE nexus_completions AS c SET summary_text = $5::text, data = $6::text, report_id = $7::text,
     seq = nextval('nexus_completions_order'), updated_at = clock_timestamp()`

/**
 * $8: the documented dedup key, $9: the one with the project. Nothing comes back where another process was faster, or
 * where the present data may be unreadable: it is not written over unseen.
 */
export const saveCompletion = statement<SavedRow>(
  `WITH mine AS (${mine}),
   updated AS (
     ${rewrite} FROM mine
     WHERE c.id = mine.id AND ${identity} AND ${words} IS DISTINCT FROM ($5::text, $6::text, $7::text)
       AND nexus_is_readable(c.data) AND c.data ~ '^\\s*\\{'
     RETURNING c.dedup_key),
   created AS (
     INSERT INTO nexus_completions AS c
       (project, issue_number, agent_type, status, summary_text, data, report_id, dedup_key, seq, created_at, updated_at)
     SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text,
       CASE WHEN EXISTS (SELECT FROM nexus_completions AS held WHERE held.dedup_key = $8::text) THEN $9::text ELSE $8::text END,
       nextval('nexus_completions_order'), clock_timestamp(), clock_timestamp()
     WHERE NOT EXISTS (SELECT FROM mine)
     ON CONFLICT (dedup_key) DO NOTHING
     RETURNING c.dedup_key)
   SELECT 'created' AS status, dedup_key FROM created
   UNION ALL SELECT 'updated', dedup_key FROM updated
   UNION ALL SELECT 'unchanged', c.dedup_key FROM mine AS c WHERE ${words} IS NOT DISTINCT FROM ($5::text, $6::text, $7::text)`,
)

/** A copy of what is replaced is kept in the same transaction. */
export const replaceUnreadableCompletion = statement<SavedRow>(
  `WITH kept AS (
     INSERT INTO nexus_quarantine (store, key, data, reason)
     SELECT 'nexus_completions', c.dedup_key, c.data, 'unreadable, replaced by a save' FROM nexus_completions AS c
     WHERE c.id = $8 AND ${hash} = $9 AND $10::boolean)
   ${rewrite} WHERE c.id = $8 AND ${identity} AND ${hash} = $9
   RETURNING 'updated' AS status, c.dedup_key`,
)

export const loadCompletion = statement<CompletionRow>(
  `SELECT ${columns} FROM nexus_completions AS c WHERE c.dedup_key = $1::text`,
)

/** Which conditions a list has; each combination is a statement of its own, so that each is planned with its index. */
export interface CompletionListShape {
  /** Only the latest of each project and issue. */
  latest: boolean
  issueNumber: boolean
  project: 'any' | 'none' | 'one'
  /** After a row with a place in the order of saving, or after one that is older than that order. */
  after: 'start' | 'ordered' | 'unordered'
}

/** Nulls of the order come last, so each side of it is compared for itself. */
const isNewest = `NOT EXISTS (
     SELECT FROM nexus_completions AS n
     WHERE n.issue_number = c.issue_number AND n.project IS NOT DISTINCT FROM c.project AND n.id <> c.id
       AND (coalesce(n.seq, -1), n.created_at, n.id) > (coalesce(c.seq, -1), c.created_at, c.id))`

/** Values: limit, issue number, project, then for `ordered` sequence, time and id, for `unordered` time and id. */
export const listCompletions = (shape: CompletionListShape): Statement<CompletionRow> => {
  let next = 2
  const conditions: string[] = []
  if (shape.issueNumber) conditions.push(`c.issue_number = $${next++}`)
  if (shape.project === 'one') conditions.push(`c.project = $${next++}`)
  if (shape.project === 'none') conditions.push('c.project IS NULL')
  if (shape.after === 'ordered') {
    const [seq, time, id] = [`$${next++}::bigint`, `$${next++}::timestamptz`, `$${next++}::integer`]
    conditions.push(`(c.seq IS NULL OR c.seq < ${seq} OR (c.seq = ${seq} AND (c.created_at, c.id) < (${time}, ${id})))`)
  }
  if (shape.after === 'unordered')
    conditions.push(`c.seq IS NULL AND (c.created_at, c.id) < ($${next++}::timestamptz, $${next++}::integer)`)
  if (shape.latest) conditions.push(isNewest)
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  return statement(`SELECT ${columns} FROM nexus_completions AS c ${where} ORDER BY ${latestFirst} LIMIT $1`)
}

/** One row where the key exists: whose it was, whether it is now given to the project, or the project has another. */
export const assignCompletion = statement<{ owner: string | null; is_assigned: boolean; is_taken: boolean }>(
  `WITH target AS (
     SELECT c.id, c.project AS owner, EXISTS (
       SELECT FROM nexus_completions AS o WHERE o.project = $2::text AND o.issue_number = c.issue_number
         AND o.agent_type = c.agent_type AND o.status = c.status) AS is_taken
     FROM nexus_completions AS c WHERE c.dedup_key = $1::text),
   assigned AS (
     UPDATE nexus_completions AS c SET project = $2::text FROM target
     WHERE c.id = target.id AND c.project IS NULL AND NOT target.is_taken
     RETURNING c.id)
   SELECT target.owner, target.is_taken, EXISTS (SELECT FROM assigned) AS is_assigned FROM target`,
)

export const deleteCompletion = statement<{ id: number }>(
  `WITH kept AS (
     INSERT INTO nexus_quarantine (store, key, data, reason)
     SELECT 'nexus_completions', c.dedup_key, c.data, 'unreadable, deleted' FROM nexus_completions AS c
     WHERE c.id = $1 AND ${hash} = $2 AND $3::boolean)
   DELETE FROM nexus_completions AS c WHERE c.id = $1 AND ${hash} = $2
   RETURNING c.id`,
)
