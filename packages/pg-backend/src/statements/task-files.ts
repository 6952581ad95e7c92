import { maxPageLimit } from '@nexus/core'
import { type Statement, statement } from '../query.ts'
import { revOf } from '../rev.ts'

export type TaskFileRow = {
  id: number
  project: string
  issue_number: string | null
  filename: string
  content: string
  state: string
  created_at: Date | number
  updated_at: Date | number
  /** With the microseconds that a Date has not. */
  created_text: string
  hash: string
}

const hash = revOf('f', ['project', 'issue_number', 'filename', 'content', 'state'])
const columns = `f.id, f.project, f.issue_number, f.filename, f.content, f.state, f.created_at, f.updated_at,
  f.created_at::text AS created_text, ${hash} AS hash`

/** Of duplicates that other programs made. [C-TASK-2] */
const loadOrder = `CASE f.state WHEN 'active' THEN 0 WHEN 'closed' THEN 1 ELSE 2 END, f.created_at DESC, f.id DESC`

/** As the indexes have it. */
export const pairHash = (value: string, project: string): string =>
  `hashtextextended(${value}, hashtextextended(${project}, 0))`

/** By a hash of the whole name, for which there is an index; the rest is no condition for which there is another. */
const named = `${pairHash('f.filename', 'f.project')} = ${pairHash('$2::text', '$1::text')}
   AND (f.project, f.filename) IS NOT DISTINCT FROM ($1::text, $2::text)`

const first = `SELECT f.id FROM nexus_task_files AS f WHERE ${named}
   ORDER BY ${loadOrder} LIMIT 1`

export const loadTaskFile = statement<TaskFileRow>(
  `SELECT ${columns} FROM nexus_task_files AS f WHERE ${named} ORDER BY ${loadOrder} LIMIT 1`,
)

/** All of one name, without their contents. */
export const findTaskFiles = statement<{ id: number; state: string; issue_number: string | null }>(
  `SELECT f.id, f.state, f.issue_number FROM nexus_task_files AS f WHERE ${named}
   ORDER BY ${loadOrder}`,
)

const update = `UPDATE nexus_task_files AS f SET content = $3::text, updated_at = clock_timestamp(),
     issue_number = CASE WHEN $6::boolean THEN $4::text ELSE f.issue_number END
   FROM present WHERE f.id = present.id AND f.project = $1::text AND f.filename = $2::text`

const insert = `INSERT INTO nexus_task_files AS f
     (project, filename, content, issue_number, identity_key, state, created_at, updated_at)
   SELECT $1::text, $2::text, $3::text, $4::text, $5::text, 'active', clock_timestamp(), clock_timestamp()`

/** $6: whether the issue number is to be set. Nothing comes back where another program or process was faster. */
export const saveTaskFile = statement<{ hash: string }>(
  `WITH present AS (${first}),
   updated AS (${update} RETURNING ${hash} AS hash),
   created AS (${insert} WHERE NOT EXISTS (SELECT FROM present)
     ON CONFLICT (identity_key) WHERE identity_key IS NOT NULL DO NOTHING RETURNING ${hash} AS hash)
   SELECT hash FROM updated UNION ALL SELECT hash FROM created`,
)

export const createTaskFile = statement<{ hash: string }>(
  `WITH present AS (${first})
   ${insert} WHERE NOT EXISTS (SELECT FROM present)
   ON CONFLICT (identity_key) WHERE identity_key IS NOT NULL DO NOTHING RETURNING ${hash} AS hash`,
)

export const replaceTaskFile = statement<{ hash: string }>(
  `WITH present AS (${first}) ${update} AND ${hash} = $5 RETURNING ${hash} AS hash`,
)

/** Only while it still has the name and state that were seen. */
export const moveTaskFile = statement<{ id: number }>(
  `UPDATE nexus_task_files AS f SET state = $5::text, filename = $6::text, updated_at = clock_timestamp(),
     identity_key = CASE WHEN f.filename = $6::text THEN f.identity_key ELSE $7::text END
   WHERE f.id = $1 AND f.project = $2::text AND f.filename = $3::text AND f.state = $4::text
   RETURNING f.id`,
)

export const deleteTaskFile = statement<{ id: number }>(
  `DELETE FROM nexus_task_files AS f WHERE f.id = $1 AND ${hash} = $2 RETURNING f.id`,
)

/** Which conditions a list has; each combination is a statement of its own, so that each is planned with its index. */
export interface TaskFileListShape {
  project: boolean
  state: boolean
  issueNumber: boolean
  after: boolean
}

const newestFirst = 'f.created_at DESC, f.id DESC'

const pairIs = (column: string, [project, value]: readonly [string, string]): string =>
  `${pairHash(`f.${column}`, 'f.project')} = ${pairHash(value, project)}
     AND (f.project, f.${column}) IS NOT DISTINCT FROM (${project}, ${value})`

/**
 * Values: limit, then those of the shape's conditions in order (`after` has two: time and id). A project with a state or
 * an issue is looked up as a pair; what is IS NOT DISTINCT FROM is no reason for the planner to take another index.
 */
export const listTaskFiles = (shape: TaskFileListShape): Statement<TaskFileRow> => {
  let next = 2
  const conditions: string[] = []
  const project = shape.project ? `$${next++}::text` : null
  const state = shape.state ? `$${next++}::text` : null
  const issue = shape.issueNumber ? `$${next++}::text` : null
  if (project && issue) conditions.push(pairIs('issue_number', [project, issue]))
  else if (project && state) conditions.push(pairIs('state', [project, state]))
  else if (project) conditions.push(`f.project = ${project}`)
  else if (issue) conditions.push(`f.issue_number = ${issue}`)
  else if (state) conditions.push(`f.state = ${state}`)
  if (issue && state) conditions.push(`f.state IS NOT DISTINCT FROM ${state}`)
  if (shape.after) conditions.push(`(f.created_at, f.id) < ($${next++}::timestamptz, $${next++}::integer)`)
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  return statement(
    // A generic plan knows no other limit than the inner one, and would rather sort all than read some in order.
    `SELECT ${columns} FROM (
     SELECT f.* FROM nexus_task_files AS f ${where} ORDER BY ${newestFirst} LIMIT ${maxPageLimit + 1}) AS f
   ORDER BY ${newestFirst} LIMIT $1`,
  )
}
