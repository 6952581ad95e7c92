import { statement } from '../query.ts'
import { isAt, issueKey } from './inbox.ts'

/**
 * No condition of an index: the one of what is in processing is small when it is counted, and reading all of it for one id
 * seems cheap then, but until the next vacuum it holds each claim that ended.
 */
const isHeld = `(q.status || '') = 'processing' AND q.lease_expires_at IS NOT NULL`

/** By the claim in $1 to $3. */
const held = `${isAt('$1')} AND q.claim_epoch = $2::integer AND q.claimed_by = $3::text AND ${isHeld}`

/** Nothing comes back where the claim is lost. */
export const bindTask = statement<{ is_taken: boolean; is_bound: boolean }>(
  `WITH mine AS (
     SELECT q.id, EXISTS (
       SELECT FROM nexus_inbox_queue AS r
       WHERE r.running_key = ${issueKey('q.project_key', '$4::text')} AND r.id <> q.id) AS is_taken
     FROM nexus_inbox_queue AS q WHERE ${held}),
   bound AS (
     UPDATE nexus_inbox_queue AS q SET issue_number = $4::text, running_key = ${issueKey('q.project_key', '$4::text')}
     FROM mine WHERE NOT mine.is_taken AND q.id = mine.id AND ${held}
     RETURNING q.id)
   SELECT mine.is_taken, EXISTS (SELECT FROM bound) AS is_bound FROM mine`,
)

/** What is still held comes back. */
export const renewTasks = statement<{
  id: number
  claim_epoch: number
  claimed_by: string
  cancel_requested: boolean
}>(
  `UPDATE nexus_inbox_queue AS q SET heartbeats = q.heartbeats + 1,
     lease_expires_at = clock_timestamp() + make_interval(secs => q.lease_ms / 1000)
   FROM unnest($1::integer[], $2::integer[], $3::text[]) AS c (id, epoch, worker)
   WHERE ${isAt('c.id')} AND q.claim_epoch = c.epoch AND q.claimed_by = c.worker AND ${isHeld}
   RETURNING c.id, q.claim_epoch, q.claimed_by, q.cancel_requested`,
)

export const completeTask = statement<{ id: number }>(
  `UPDATE nexus_inbox_queue AS q SET status = 'done', processed_at = clock_timestamp() WHERE ${held} RETURNING q.id`,
)

/** The place of a row, as claims name it. */
const place = 'CASE WHEN q.origin IS NULL THEN q.id ELSE -q.id END'

/**
 * Many at once; what comes back is done. Who holds a lock on one of them keeps only that one waiting. Claims are looked up in
 * a hash: as a join, which the planner takes for one of a few rows, each of them would be compared with each other.
 */
export const completeTasks = statement<{ id: number; claim_epoch: number; claimed_by: string }>(
  `WITH given AS MATERIALIZED (
     SELECT c.* FROM unnest($1::integer[], $2::integer[], $3::text[]) AS c (id, epoch, worker)),
   free AS MATERIALIZED (
     SELECT q.id FROM nexus_inbox_queue AS q WHERE q.id = ANY(ARRAY(SELECT abs(c.id) FROM given AS c))
     FOR UPDATE OF q SKIP LOCKED)
   UPDATE nexus_inbox_queue AS q SET status = 'done', processed_at = clock_timestamp()
   WHERE q.id = ANY(ARRAY(SELECT f.id FROM free AS f)) AND ${isHeld}
     AND ((${place}, q.claim_epoch, q.claimed_by) IN (SELECT c.id, c.epoch, c.worker FROM given AS c)) IS TRUE
   RETURNING ${place} AS id, q.claim_epoch, q.claimed_by`,
)

export const findCompleted = statement<{ id: number }>(
  `SELECT q.id FROM nexus_inbox_queue AS q
   WHERE ${isAt('$1')} AND q.claim_epoch = $2::integer AND q.claimed_by = $3::text AND q.status = 'done'`,
)

const isLast = `($5::boolean OR q.attempts + 1 >= q.max_attempts)`
/** What a person wants stopped is not given to anybody again. [C-INBOX-15] */
const isOver = `(${isLast} OR q.cancel_requested)`

/** $4 error, $5 fatal, $6 when to try again or null, $7 delays in ms by the number of failures. */
export const failTask = statement<{ status: string; attempts: number; run_at: Date | number }>(
  `UPDATE nexus_inbox_queue AS q SET attempts = q.attempts + 1,
     error = CASE WHEN q.cancel_requested AND NOT ${isLast} THEN 'cancelled' ELSE $4::text END,
     status = CASE WHEN ${isOver} THEN 'failed' ELSE 'pending' END,
     processed_at = CASE WHEN ${isOver} THEN clock_timestamp() END,
     run_at = CASE WHEN ${isOver} THEN q.run_at ELSE coalesce($6::timestamptz, clock_timestamp()
       + make_interval(secs => ($7::float8[])[least(q.attempts + 1, cardinality($7::float8[]))] / 1000)) END
   WHERE ${held}
   RETURNING q.status, q.attempts, q.run_at`,
)

export const releaseTask = statement<{ project_key: string }>(
  `UPDATE nexus_inbox_queue AS q SET
     status = CASE WHEN q.cancel_requested THEN 'failed' ELSE 'pending' END,
     error = CASE WHEN q.cancel_requested THEN 'cancelled' ELSE q.error END,
     processed_at = CASE WHEN q.cancel_requested THEN clock_timestamp() END,
     run_at = coalesce($4::timestamptz, clock_timestamp())
   WHERE ${held}
   RETURNING q.project_key`,
)
