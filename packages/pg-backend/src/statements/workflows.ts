import { terminalWorkflowStates } from '@nexus/core'
import { type Statement, statement } from '../query.ts'
import { revOf } from '../rev.ts'

export type WorkflowRow = {
  id: string
  name: string | null
  state: string
  current_step: number
  data: string
  created_at: Date | number
  updated_at: Date | number | null
  /** With the microseconds that a Date has not. */
  created_text: string
  hash: string
}

/** What a save has to know of the present row; its text only where that may be unreadable. */
export type WorkflowHead = { state: string; created_at: Date | number; doubtful: string | null; hash: string }

const hash = revOf('w', ['id', 'name', 'state', 'current_step', 'data'])
const columns = `w.id, w.name, w.state, w.current_step, w.data, w.created_at, w.updated_at,
  w.created_at::text AS created_text, ${hash} AS hash`

export const loadWorkflow = statement<WorkflowRow>(`SELECT ${columns} FROM nexus_workflows AS w WHERE w.id = $1`)

export const loadWorkflowHead = statement<WorkflowHead>(
  `SELECT w.state, w.created_at, ${hash} AS hash,
     CASE WHEN nexus_is_readable(w.data) AND w.data ~ '^\\s*\\{' THEN NULL ELSE w.data END AS doubtful
   FROM nexus_workflows AS w WHERE w.id = $1`,
)

export const createWorkflow = statement<{ hash: string }>(
  `INSERT INTO nexus_workflows AS w (id, name, state, current_step, data, project, issue_number, created_at, updated_at,
     saves)
   VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::timestamptz, clock_timestamp()), clock_timestamp(), 1)
   ON CONFLICT (id) DO NOTHING
   RETURNING ${hash} AS hash`,
)

/** `saves` changes: that is how the trigger tells our documents from those of other programs. */
const replace = `UPDATE nexus_workflows AS w SET name = $2, state = $3, current_step = $4, data = $5, project = $6,
     issue_number = $7, updated_at = clock_timestamp(), saves = w.saves + 1
   WHERE w.id = $1 AND ${hash} = $8
   RETURNING ${hash} AS hash`

const keep = (reason: string): string =>
  `INSERT INTO nexus_quarantine (store, key, data, reason)
   SELECT 'nexus_workflows', w.id, w.data, ${reason} FROM nexus_workflows AS w WHERE w.id = $1`

export const replaceWorkflow = statement<{ hash: string }>(replace)

/** A copy of what is replaced is kept in the same transaction. */
export const replaceUnreadableWorkflow = statement<{ hash: string }>(
  `WITH kept AS (${keep(`'unreadable, replaced by a save'`)} AND ${hash} = $8) ${replace}`,
)

export const deleteWorkflow = statement<{ id: string }>(
  `WITH kept AS (${keep(`'unreadable, deleted'`)} AND ${hash} = $2 AND $3::boolean)
   DELETE FROM nexus_workflows AS w WHERE w.id = $1 AND ${hash} = $2
   RETURNING w.id`,
)

/** Which conditions a list has; each combination is a statement of its own, so that each is planned with its index. */
export interface WorkflowListShape {
  state: boolean
  project: boolean
  updatedBefore: boolean
  after: boolean
}

/** Values: limit, then those of the shape's conditions in order (`after` has two: time and id). */
export const listWorkflows = (shape: WorkflowListShape): Statement<WorkflowRow> => {
  let next = 2
  const conditions: string[] = []
  if (shape.state) conditions.push(`w.state = $${next++}`)
  const project = shape.project ? `w.project = $${next++}` : null
  if (shape.updatedBefore) conditions.push(`coalesce(w.updated_at, w.created_at) < $${next++}::timestamptz`)
  if (shape.after) conditions.push(`(w.created_at, w.id) < ($${next++}::timestamptz, $${next++}::text)`)
  const rowsOf = (more: string[], before = ''): string => {
    const where = [...more, ...conditions].join(' AND ')
    return `SELECT w.* FROM nexus_workflows AS w ${where && `WHERE ${where}`}
     ORDER BY ${before}w.created_at DESC, w.id DESC LIMIT $1`
  }
  // Only our own saves write the column. What it does not tell stands in the document, and the store looks there. Each
  // side is one range of an index; the two sides together would be none.
  const rows = project
    ? `(${rowsOf([project])}) UNION ALL (${rowsOf(['w.project IS NULL'], 'w.project, ')})`
    : rowsOf([])
  return statement(`SELECT ${columns} FROM (${rows}) AS w ORDER BY w.created_at DESC, w.id DESC LIMIT $1`)
}

const terminal = terminalWorkflowStates.map((state) => `'${state}'`).join(', ')

/** From state to state, unknown ones included. $1: where counting of one terminal state stops. */
export const countWorkflows = statement<{ state: string; count: number }>(
  `WITH RECURSIVE found AS (
     (SELECT w.state FROM nexus_workflows AS w ORDER BY w.state LIMIT 1)
     UNION ALL
     SELECT n.state FROM found AS f CROSS JOIN LATERAL (
       SELECT w.state FROM nexus_workflows AS w WHERE w.state > f.state ORDER BY w.state LIMIT 1) AS n)
   SELECT f.state, (
     SELECT count(*)::integer FROM (
       SELECT FROM nexus_workflows AS w WHERE w.state = f.state ORDER BY w.created_at DESC, w.id DESC
       LIMIT CASE WHEN f.state IN (${terminal}) THEN $1::bigint END) AS counted) AS count
   FROM found AS f`,
)
