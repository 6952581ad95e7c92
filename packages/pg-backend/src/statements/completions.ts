import { maxPageLimit } from '@nexus/core'
import { type Statement, statement } from '../query.ts'
import { revOf } from '../rev.ts'
import { recordedAs } from './applied.ts'

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

const latestFirst = (alias: string): string =>
  `${alias}.seq DESC NULLS LAST, ${alias}.created_at DESC, ${alias}.id DESC`

/** Unique where not null: what a save or an assignment takes before another of that identity can. */
export const identityKey = (project: string, issue: string, agent: string, status: string): string =>
  `encode(sha256(convert_to(ROW(${project}, ${issue}, ${agent}, ${status})::text, 'UTF8')), 'hex')`

const given = { project: '$1::text', issue: '$2::text', agent: '$3::text', status: '$4::text' }
const givenKey = identityKey(given.project, given.issue, given.agent, given.status)
const identity = (alias: string, { project, issue, agent, status } = given): string =>
  `${alias}.project = ${project} AND ${alias}.issue_number = ${issue} AND ${alias}.agent_type = ${agent} AND ${alias}.status = ${status}`
const words = '(c.summary_text, c.data, c.report_id)'

const identityHash = (project: string, issue: string, agent: string, status: string): string =>
  `hashtextextended(${status}, hashtextextended(${agent}, hashtextextended(${issue}, hashtextextended(${project}, 0))))`

/** Those without a key are few and have an index of their own; the fence keeps the planner from taking another. */
const rowsOf = (of: typeof given): string =>
  `SELECT k.id, k.seq, k.created_at FROM nexus_completions AS k
     WHERE k.identity_key = ${identityKey(of.project, of.issue, of.agent, of.status)}
   UNION ALL SELECT u.id, u.seq, u.created_at FROM (
     SELECT u.* FROM nexus_completions AS u WHERE u.identity_key IS NULL AND u.project IS NOT NULL
       AND ${identityHash('u.project', 'u.issue_number', 'u.agent_type', 'u.status')}
         = ${identityHash(of.project, of.issue, of.agent, of.status)} OFFSET 0) AS u WHERE ${identity('u', of)}`

/** Other programs can make rows of one identity; the latest is ours to go on with. */
const mine = `SELECT ${columns} FROM nexus_completions AS c
   WHERE c.id = (SELECT i.id FROM (${rowsOf(given)}) AS i ORDER BY ${latestFirst('i')} LIMIT 1)`

export const findCompletion = statement<CompletionRow>(mine)

/** No condition that an index has: the row is found by its id. */
const isStill = ({ project, issue, agent, status }: typeof given): string =>
  `(c.project, c.issue_number, c.agent_type, c.status) IS NOT DISTINCT FROM (${project}, ${issue}, ${agent}, ${status})`
const stillIs = isStill(given)
/** Such data is written over: unreadable data is not, unseen. */
const isReport = `nexus_is_readable(c.data) AND c.data ~ '^\\s*\\{'`

/** The sequence is set in so many words: that is how the trigger tells our writes from those of other programs. */
const rewriteWith = (summary: string, data: string, reportId: string): string =>
  `UPDATE nexus_completions AS c SET summary_text = ${summary}, data = ${data}, report_id = ${reportId},
     seq = nextval('nexus_completions_order'), updated_at = clock_timestamp()`
const rewrite = rewriteWith('$5::text', '$6::text', '$7::text')

const recorded = (id: string): string =>
  `${recordedAs(id, `json_build_object('status', done.status, 'dedupKey', done.dedup_key)`)}
   SELECT status, dedup_key FROM done`

const insert = `INSERT INTO nexus_completions AS c
       (project, issue_number, agent_type, status, summary_text, data, report_id, dedup_key, seq, created_at, updated_at,
        identity_key)`

/**
 * $8: the documented dedup key, $9: the one with the project, $10: the operation. Nothing comes back where another
 * process was faster, or where the present data may be unreadable: it is not written over unseen.
 */
export const saveCompletion = statement<SavedRow>(
  `WITH mine AS (${mine}),
   updated AS (
     ${rewrite} FROM mine
     WHERE c.id = mine.id AND ${stillIs} AND ${words} IS DISTINCT FROM ($5::text, $6::text, $7::text)
       AND ${isReport}
     RETURNING c.dedup_key),
   created AS (
     ${insert}
     SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text,
       CASE WHEN EXISTS (SELECT FROM nexus_completions AS held WHERE held.dedup_key = $8::text) THEN $9::text ELSE $8::text END,
       nextval('nexus_completions_order'), clock_timestamp(), clock_timestamp(), ${givenKey}
     WHERE NOT EXISTS (SELECT FROM mine)
     ON CONFLICT DO NOTHING
     RETURNING c.dedup_key),
   done AS (
     SELECT 'created' AS status, dedup_key FROM created
     UNION ALL SELECT 'updated', dedup_key FROM updated
     UNION ALL SELECT 'unchanged', c.dedup_key FROM mine AS c WHERE ${words} IS NOT DISTINCT FROM ($5::text, $6::text, $7::text)),
   ${recorded('$10')}`,
)

const each = { project: 'g.project', issue: 'g.issue_number', agent: 'g.agent_type', status: 'g.status' }
const theirWords = '(g.summary_text, g.data, g.report_id)'

/**
 * The same for many identities at once, each no more than once. What comes back was saved; a row that somebody holds a
 * lock on keeps only that one waiting, in a statement of its own.
 */
export const saveCompletions = statement<SavedRow & { nth: number }>(
  `WITH given AS MATERIALIZED (
     SELECT g.*, ${identityKey(each.project, each.issue, each.agent, each.status)} AS identity_key
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::text[], $10::text[]) WITH ORDINALITY AS g (project, issue_number, agent_type, status, summary_text, data,
       report_id, dedup_key, own_key, operation, nth)),
   mine AS MATERIALIZED (
     SELECT g.nth, g.operation, ${words} IS NOT DISTINCT FROM ${theirWords} AS is_same, c.id, c.dedup_key
     FROM given AS g
     CROSS JOIN LATERAL (SELECT i.id FROM (${rowsOf(each)}) AS i ORDER BY ${latestFirst('i')} LIMIT 1) AS i
     CROSS JOIN LATERAL (SELECT c.* FROM nexus_completions AS c WHERE c.id = i.id) AS c),
   free AS MATERIALIZED (
     SELECT c.id FROM nexus_completions AS c WHERE c.id = ANY(ARRAY(SELECT m.id FROM mine AS m WHERE NOT m.is_same))
     FOR UPDATE OF c SKIP LOCKED),
   updated AS (
     ${rewriteWith('g.summary_text', 'g.data', 'g.report_id')} FROM given AS g JOIN mine AS m ON m.nth = g.nth
     WHERE c.id = m.id AND c.id = ANY(ARRAY(SELECT f.id FROM free AS f)) AND ${isStill(each)}
       AND ${words} IS DISTINCT FROM ${theirWords} AND ${isReport}
     RETURNING g.nth, g.operation, c.dedup_key),
   created AS (
     ${insert}
     SELECT g.project, g.issue_number, g.agent_type, g.status, g.summary_text, g.data, g.report_id,
       CASE WHEN EXISTS (SELECT FROM nexus_completions AS held WHERE held.dedup_key = g.dedup_key) THEN g.own_key ELSE g.dedup_key END,
       nextval('nexus_completions_order'), clock_timestamp(), clock_timestamp(), g.identity_key
     FROM given AS g WHERE NOT EXISTS (SELECT FROM mine AS m WHERE m.nth = g.nth) ORDER BY g.identity_key
     ON CONFLICT DO NOTHING
     RETURNING c.identity_key, c.dedup_key),
   done AS (
     SELECT 'created' AS status, n.dedup_key, g.nth, g.operation FROM created AS n JOIN given AS g ON g.identity_key = n.identity_key
     UNION ALL SELECT 'updated', u.dedup_key, u.nth, u.operation FROM updated AS u
     UNION ALL SELECT 'unchanged', m.dedup_key, m.nth, m.operation FROM mine AS m WHERE m.is_same),
   ${recordedAs('done.operation', `json_build_object('status', done.status, 'dedupKey', done.dedup_key)`)}
   SELECT done.nth::integer AS nth, done.status, done.dedup_key FROM done`,
)

/** $10: whether a copy of what is replaced is kept in the same transaction. $11: the operation. */
export const replaceUnreadableCompletion = statement<SavedRow>(
  `WITH kept AS (
     INSERT INTO nexus_quarantine (store, key, data, reason)
     SELECT 'nexus_completions', c.dedup_key, c.data, 'unreadable, replaced by a save' FROM nexus_completions AS c
     WHERE c.id = $8 AND ${hash} = $9 AND $10::boolean),
   done AS (
     ${rewrite} WHERE c.id = $8 AND ${stillIs} AND ${hash} = $9
     RETURNING 'updated' AS status, c.dedup_key),
   ${recorded('$11')}`,
)

export const loadCompletion = statement<CompletionRow>(
  `SELECT ${columns} FROM nexus_completions AS c WHERE c.dedup_key = $1::text`,
)

/** Which conditions a list has; each combination is a statement of its own. */
export interface CompletionListShape {
  /** Only the latest of each project and issue. */
  latest: boolean
  issueNumber: boolean
  project: 'any' | 'none' | 'one'
  /**
   * After a row with a place in the order of saving, or after one that is older than that order; `older`: all of those.
   * Each is one range of an index; the two sides together would be none.
   */
  after: 'start' | 'ordered' | 'older' | 'unordered'
}

/** `is_latest` is null in lists of everything. `looked`: how many rows were looked at up to this one. */
export type CompletionListRow = CompletionRow & { is_latest: boolean | null; looked: string | null }

/** Rows that a page of `scan` looks at before it gives out what it has; the caller goes on with the cursor. */
export const maxLooked = 10_000

/** The first of one range: `project` is ordered by, because an index is not known to be in order behind an IS NULL. */
const newestOf = (project: string): string =>
  `(SELECT n.id FROM nexus_completions AS n WHERE n.issue_number = c.issue_number AND n.project ${project}
     ORDER BY n.project, ${latestFirst('n')} LIMIT 1)`
const isNewest = `CASE WHEN c.project IS NULL THEN ${newestOf('IS NULL')} ELSE ${newestOf('= c.project')} END = c.id`

const conditionsOf = ({ issueNumber, project, after }: CompletionListShape): string => {
  let next = 2
  const conditions: string[] = []
  if (issueNumber) conditions.push(`c.issue_number = $${next++}`)
  if (project === 'one') conditions.push(`c.project = $${next++}`)
  if (project === 'none') conditions.push('c.project IS NULL')
  if (after === 'ordered')
    conditions.push(`(c.seq, c.created_at, c.id) < ($${next++}::bigint, $${next++}::timestamptz, $${next++}::integer)`)
  if (after === 'older' || after === 'unordered') conditions.push('c.seq IS NULL')
  if (after === 'unordered') conditions.push(`(c.created_at, c.id) < ($${next++}::timestamptz, $${next++}::integer)`)
  return conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
}

/** Of one issue, from project to project: however many records each has of it. */
const latestOfIssue = (where: string): Statement<CompletionListRow> => {
  const ofIssue = 'FROM nexus_completions AS c WHERE c.issue_number = $2'
  return statement(
    `WITH RECURSIVE owner AS (
     (SELECT c.project ${ofIssue} AND c.project IS NOT NULL ORDER BY c.project LIMIT 1)
     UNION ALL SELECT n.project FROM owner AS o CROSS JOIN LATERAL (
       SELECT c.project ${ofIssue} AND c.project > o.project ORDER BY c.project LIMIT 1) AS n),
   newest AS (
     SELECT n.* FROM owner AS o CROSS JOIN LATERAL (
       SELECT c.* ${ofIssue} AND c.project = o.project ORDER BY c.project, ${latestFirst('c')} LIMIT 1) AS n
     UNION ALL (SELECT c.* ${ofIssue} AND c.project IS NULL ORDER BY c.project, ${latestFirst('c')} LIMIT 1))
   SELECT ${columns}, true AS is_latest, NULL AS looked FROM newest AS c ${where} ORDER BY ${latestFirst('c')} LIMIT $1`,
  )
}

/** A generic plan knows no other limit, and would rather sort all than read some in order. */
const largestPage = maxPageLimit + 1

/**
 * Values: limit, issue number, project, then for `ordered` sequence, time and id, for `unordered` time and id. A row that
 * follows one of its own project and issue is older than that one, without a look.
 */
export const listCompletions = (shape: CompletionListShape): Statement<CompletionListRow> => {
  const { latest, issueNumber, project } = shape
  const where = conditionsOf(shape)
  if (latest && issueNumber && project === 'any') return latestOfIssue(where)
  const order = `${project === 'none' ? 'c.project, ' : ''}${latestFirst('c')}`
  const found = `FROM nexus_completions AS c ${where}`
  if (!latest)
    return statement(
      `SELECT ${columns}, NULL AS is_latest, NULL AS looked
   FROM (SELECT c.* ${found} ORDER BY ${order} LIMIT ${largestPage}) AS c ORDER BY ${order} LIMIT $1`,
    )
  const most = issueNumber ? 1 : maxLooked
  return statement(
    `SELECT ${columns}, c.looked, CASE WHEN c.looked < ${most} THEN true ELSE ${isNewest} END AS is_latest
   FROM (
     SELECT c.*, row_number() OVER looking AS looked, lag(c.issue_number) OVER looking AS former_issue,
       lag(c.project) OVER looking AS former_project
     ${found} WINDOW looking AS (ORDER BY ${order}) ORDER BY ${order} LIMIT ${most}) AS c
   WHERE c.looked = ${most} OR (
     (c.issue_number IS DISTINCT FROM c.former_issue OR c.project IS DISTINCT FROM c.former_project) AND ${isNewest})
   ORDER BY ${order} LIMIT $1`,
  )
}

const assigned = { project: '$2::text', issue: 'c.issue_number', agent: 'c.agent_type', status: 'c.status' }

/**
 * One row where the key exists: whose it was, whether it is now given to the project, or the project has another. Fails
 * as a duplicate where a save or an assignment just took that identity.
 */
export const assignCompletion = statement<{ owner: string | null; is_assigned: boolean; is_taken: boolean }>(
  `WITH target AS (
     SELECT c.id, c.project AS owner, EXISTS (${rowsOf(assigned)}) AS is_taken
     FROM nexus_completions AS c WHERE c.dedup_key = $1::text),
   assigned AS (
     UPDATE nexus_completions AS c SET project = $2::text,
       identity_key = ${identityKey(assigned.project, assigned.issue, assigned.agent, assigned.status)} FROM target
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
