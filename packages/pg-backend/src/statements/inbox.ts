import type { InboxStatus } from '@nexus/core'
import { type Statement, statement } from '../query.ts'

export type InboxRow = {
  id: number
  /** The id that callers know, where it is not the number. */
  origin: string | null
  project_key: string
  workspace: string
  filename: string
  markdown_content: string
  status: string
  priority: number
  run_at: Date | number
  attempts: number
  recoveries: number
  max_attempts: number
  idem_key: string | null
  issue_number: string | null
  error: string | null
  claimed_by: string | null
  claim_epoch: number
  is_leased: boolean
  cancel_requested: boolean
  created_at: Date | number
  processed_at: Date | number | null
}

export const inboxColumns = `q.id, q.origin, q.project_key, q.workspace, q.filename, q.markdown_content, q.status, q.priority, q.run_at,
  q.attempts, q.recoveries, q.max_attempts, q.idem_key, q.issue_number, q.error, q.claimed_by, q.claim_epoch,
  q.lease_expires_at IS NOT NULL AS is_leased, q.cancel_requested, q.created_at, q.processed_at`

const digest = (text: string): string => `encode(sha256(convert_to(${text}, 'UTF8')), 'hex')`

/** The text of a ROW quotes its fields, so no part can be shifted into another. */
export const nameKey = (alias: string): string =>
  digest(`ROW(${alias}.project_key, ${alias}.workspace, ${alias}.filename)::text`)

export const issueKey = (project: string, issueNumber: string): string =>
  digest(`ROW(${project}, ${issueNumber})::text`)

/** The live key of a task without a key of its caller. */
export const liveName = (alias: string): string => `'name ' || ${nameKey(alias)}`

/** Identity of a live task. The prefixes keep a caller's key from being taken for a name. */
export const liveKey = (alias: string): string =>
  `CASE WHEN ${alias}.idem_key IS NULL THEN ${liveName(alias)} ELSE 'key ' || ${digest(`${alias}.idem_key`)} END`

const nameHash = (alias: string): string =>
  `hashtextextended(${alias}.filename, hashtextextended(${alias}.workspace, hashtextextended(${alias}.project_key, 0)))`

const isLiveName = `t.idem_key IS NULL AND t.status IN ('pending', 'processing')`

/**
 * The first live task without a caller's key that has this name: one of ours has the live key, rows that other programs made
 * or renamed have none, and are found by a hash of the documented columns, for which there is an index. Scalar subqueries stay
 * looks into an index for each row; as a join they may read the whole queue.
 */
export const liveTwin = (alias: string, besides = '', key = liveName(alias)): string =>
  `least(
     (SELECT t.id FROM nexus_inbox_queue AS t WHERE t.live_key = ${key} AND ${isLiveName} ${besides}),
     (SELECT t.id FROM nexus_inbox_queue AS t WHERE ${nameHash('t')} = ${nameHash(alias)} AND t.filename = ${alias}.filename
        AND t.project_key = ${alias}.project_key AND t.workspace = ${alias}.workspace AND ${isLiveName} AND t.live_key IS NULL
        ${besides} ORDER BY t.id LIMIT 1))`

/** By the place in this parameter: a number of ours, or below zero the row beneath an id from elsewhere. */
export const isAt = (place: string): string =>
  `q.id = abs(${place}::integer) AND (q.origin IS NULL) = (${place}::integer > 0)`

export const loadTask = statement<InboxRow>(`SELECT ${inboxColumns} FROM nexus_inbox_queue AS q WHERE ${isAt('$1')}`)

export const findOrigins = statement<{ id: number; origin: string }>(
  `SELECT q.id, q.origin FROM nexus_inbox_queue AS q WHERE q.origin = ANY($1::text[])`,
)

/** The id by which callers know the row of this number. */
export const publicIdOf = (number: string): string =>
  `(SELECT coalesce(p.origin, p.id::text) FROM nexus_inbox_queue AS p WHERE p.id = ${number})`

/** Which conditions a list has; each combination is a statement of its own, and a known status lets it use a partial index. */
export interface InboxListShape {
  status: InboxStatus | 'any' | 'other'
  project: boolean
  after: boolean
}

/** Values: limit, then a status of another program, project, and the last id, as far as the shape has them. */
export const listTasks = ({ status, project, after }: InboxListShape): Statement<InboxRow> => {
  let next = 2
  const conditions: string[] = []
  if (status === 'other') conditions.push(`q.status = $${next++}`)
  else if (status !== 'any') conditions.push(`q.status = '${status}'`)
  if (project) conditions.push(`q.project_key = $${next++}`)
  if (after) conditions.push(`q.id < $${next++}::integer`)
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  return statement(`SELECT ${inboxColumns} FROM nexus_inbox_queue AS q ${where} ORDER BY q.id DESC LIMIT $1`)
}

const count = (status: InboxStatus, limit = ''): string =>
  `(SELECT count(*)::integer FROM (SELECT FROM nexus_inbox_queue WHERE status = '${status}' ${limit}) AS counted) AS ${status}`

/** Of what is pending the index has the run times too, so that no row is looked at. */
export const oldestDue = statement<{ due: Date | number | null }>(
  `SELECT min(run_at) AS due FROM nexus_inbox_queue WHERE status = 'pending' AND run_at <= statement_timestamp()`,
)

/** $1: where counting of what ended stops. */
export const countTasks = statement<Record<InboxStatus, number>>(
  `SELECT ${count('pending')}, ${count('processing')}, ${count('done', 'ORDER BY id LIMIT $1')}, ${count('failed', 'ORDER BY id LIMIT $1')}`,
)
