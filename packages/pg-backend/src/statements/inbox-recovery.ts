import { statement } from '../query.ts'
import { type InboxRow, inboxColumns, issueKey } from './inbox.ts'

const isHeld = `q.status = 'processing' AND q.lease_expires_at IS NOT NULL`
const crashLoop = `'crash loop: its holders kept disappearing'`

export type HeldRow = {
  id: number
  origin: string | null
  epoch: number
  worker: string
  heartbeats: number
  lease_ms: number
}

export const listHeld = statement<HeldRow>(
  `SELECT q.id, q.origin, q.claim_epoch AS epoch, q.claimed_by AS worker, q.heartbeats, q.lease_ms
   FROM nexus_inbox_queue AS q WHERE ${isHeld} ORDER BY q.id`,
)

/** $1 to $3: what was seen and did not move. $4: recoveries that a task survives. */
export const sweepTasks = statement<{ id: number; origin: string | null; status: string; project_key: string }>(
  `WITH stale AS MATERIALIZED (
     SELECT q.id FROM unnest($1::integer[], $2::integer[], $3::integer[]) AS s (id, epoch, heartbeats)
     JOIN nexus_inbox_queue AS q ON q.id = s.id AND q.claim_epoch = s.epoch AND q.heartbeats = s.heartbeats
     WHERE ${isHeld} ORDER BY q.id FOR UPDATE OF q)
   UPDATE nexus_inbox_queue AS q SET recoveries = q.recoveries + 1, claimed_by = NULL,
     status = CASE WHEN q.recoveries < $4 AND NOT q.cancel_requested THEN 'pending' ELSE 'failed' END,
     error = CASE WHEN q.recoveries >= $4 THEN ${crashLoop} WHEN q.cancel_requested THEN 'cancelled' ELSE q.error END,
     processed_at = CASE WHEN q.recoveries < $4 AND NOT q.cancel_requested THEN NULL ELSE clock_timestamp() END
   WHERE q.id = ANY(ARRAY(SELECT id FROM stale))
   RETURNING q.id, q.origin, q.status, q.project_key`,
)

/**
 * $1, $2: claims of dead holders. $3: recoveries that a task survives. $4: the heir. $5: its lease in ms. Where another
 * task runs the same issue by now, it waits instead.
 */
export const resumeTasks = statement<InboxRow>(
  `WITH dead AS MATERIALIZED (
     SELECT q.id, q.project_key, q.issue_number, q.running_key, q.recoveries, q.cancel_requested,
       q.recoveries >= $3 OR q.cancel_requested AS is_over
     FROM unnest($1::integer[], $2::integer[]) AS d (id, epoch)
     JOIN nexus_inbox_queue AS q ON q.id = d.id AND q.claim_epoch = d.epoch
     WHERE ${isHeld} ORDER BY q.id FOR UPDATE OF q),
   heir AS MATERIALIZED (
     SELECT d.id, CASE
       WHEN d.is_over THEN 'failed'
       WHEN d.issue_number IS NOT NULL AND (
         row_number() OVER (PARTITION BY d.project_key, d.issue_number, d.is_over ORDER BY d.running_key IS NULL, d.id) > 1
         OR EXISTS (SELECT FROM nexus_inbox_queue AS r
           WHERE r.running_key = ${issueKey('d.project_key', 'd.issue_number')} AND r.id <> d.id)) THEN 'pending'
       ELSE 'processing' END AS status
     FROM dead AS d)
   UPDATE nexus_inbox_queue AS q SET status = heir.status, recoveries = q.recoveries + 1,
     claim_epoch = q.claim_epoch + 1, claimed_by = $4::text, claimed_at = clock_timestamp(), lease_ms = $5::float8,
     lease_expires_at = clock_timestamp() + make_interval(secs => $5::float8 / 1000),
     running_key = CASE WHEN heir.status = 'processing' AND q.issue_number IS NOT NULL
       THEN ${issueKey('q.project_key', 'q.issue_number')} END,
     error = CASE WHEN heir.status <> 'failed' THEN q.error WHEN q.recoveries >= $3 THEN ${crashLoop} ELSE 'cancelled' END,
     processed_at = CASE WHEN heir.status = 'failed' THEN clock_timestamp() END
   FROM heir WHERE q.id = heir.id
   RETURNING ${inboxColumns}`,
)
