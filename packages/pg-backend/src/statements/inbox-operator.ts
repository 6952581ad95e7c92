import { statement } from '../query.ts'
import { isAt, liveKey, liveTwin, publicIdOf } from './inbox.ts'

const otherTwin = liveTwin('q', 'AND t.id <> q.id')

/** Only a dead letter or a foreign claim, and not beside a live twin. */
export const requeueTask = statement<{ project_key: string }>(
  `UPDATE nexus_inbox_queue AS q SET status = 'pending', attempts = 0, recoveries = 0, cancel_requested = false,
     run_at = clock_timestamp(), processed_at = NULL, live_key = ${liveKey('q')}
   WHERE ${isAt('$1')} AND (q.status = 'failed' OR (q.status = 'processing' AND q.lease_expires_at IS NULL))
     AND (q.idem_key IS NOT NULL OR ${otherTwin} IS NULL)
   RETURNING q.project_key`,
)

/** What a requeue met. */
export const findObstacle = statement<{ status: string; is_leased: boolean; twin: string | null }>(
  `SELECT q.status, q.lease_expires_at IS NOT NULL AS is_leased,
     CASE WHEN q.idem_key IS NULL THEN ${publicIdOf(otherTwin)} END AS twin
   FROM nexus_inbox_queue AS q WHERE ${isAt('$1')}`,
)

/** The status is read from the row as it is when it is changed, a claim that was just made included. */
export const cancelTask = statement<{ status: string }>(
  `UPDATE nexus_inbox_queue AS q SET
     status = CASE q.status WHEN 'pending' THEN 'failed' ELSE q.status END,
     error = CASE q.status WHEN 'pending' THEN 'cancelled' ELSE q.error END,
     processed_at = CASE q.status WHEN 'pending' THEN clock_timestamp() ELSE q.processed_at END,
     cancel_requested = q.cancel_requested OR q.status = 'processing'
   WHERE ${isAt('$1')} AND q.status IN ('pending', 'processing')
   RETURNING q.status`,
)

export const findStatus = statement<{ status: string }>(
  `SELECT q.status FROM nexus_inbox_queue AS q WHERE ${isAt('$1')}`,
)

export type PurgedChunk = { purged: number; last: number | null }

/** One chunk, in the order of ids after $1; $4 at most. */
export const purgeTasks = statement<PurgedChunk>(
  `WITH ended AS MATERIALIZED (
     SELECT q.id FROM nexus_inbox_queue AS q
     WHERE q.id > $1::integer AND q.status = ANY($2::text[]) AND coalesce(q.processed_at, q.created_at) < $3::timestamptz
     ORDER BY q.id LIMIT $4 FOR UPDATE OF q),
   gone AS (DELETE FROM nexus_inbox_queue AS q WHERE q.id = ANY(ARRAY(SELECT id FROM ended)) RETURNING q.id)
   SELECT (SELECT count(*)::integer FROM gone) AS purged, (SELECT max(id) FROM ended) AS last`,
)
