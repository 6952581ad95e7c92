import { type Statement, statement } from '../query.ts'
import { type InboxRow, inboxColumns, issueKey, liveKey, nameKey } from './inbox.ts'
import { asMoverInline } from './moved.ts'
import type { Writing } from './records.ts'

export type InboxRecordRow = InboxRow & { lease_ms: number | null; is_running: boolean }

const columns = `${inboxColumns}, q.lease_ms, q.running_key IS NOT NULL AS is_running`

/** $1 limit, $2 the id that the page before ended with: ids are given in the order of enqueueing. */
export const pageTasks = ({ after }: { after: boolean }) =>
  statement<InboxRecordRow>(
    `SELECT ${columns} FROM nexus_inbox_queue AS q ${after ? 'WHERE q.id > $2' : ''} ORDER BY q.id LIMIT $1`,
  )

/** $1: ids that are numbers of ours, $2: all others. */
const ofIds = `(q.id = ANY($1::integer[]) AND q.origin IS NULL) OR q.origin = ANY($2::text[])`

export const findTaskRecords = statement<InboxRecordRow>(`SELECT ${columns} FROM nexus_inbox_queue AS q WHERE ${ofIds}`)

export const removeTaskRecords = statement(`DELETE FROM nexus_inbox_queue AS q WHERE ${ofIds}`)

/** New numbers begin behind all that are given, also those of this very statement. $25: the greatest. */
const passOver = `nexus_pass_over(pg_get_serial_sequence('nexus_inbox_queue', 'id')::regclass, $25::bigint)`

const nextId = `nextval((SELECT pg_get_serial_sequence('nexus_inbox_queue', 'id')::regclass))::integer`

/** A number that a task's callers know belongs to it: one that came with another id goes elsewhere, since nobody knows its number. */
export const makeRoom = statement(
  `UPDATE nexus_inbox_queue AS q SET id = ${nextId} WHERE q.id = ANY($1::integer[]) AND q.origin IS NOT NULL`,
)

/**
 * $1 the number that is its id, or null; $2 the id that is none, or null. $20 worker, $21 lease in ms. $22 to $24: whether it
 * takes the key of its name while it lives, of its issue while it runs, and of its name while it is held.
 */
const insertTasks = `WITH given AS MATERIALIZED (
     SELECT g.* FROM ${asMoverInline} CROSS JOIN (SELECT ${passOver} OFFSET 0) AS passed CROSS JOIN
       unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[],
       $9::timestamptz[], $10::text[], $11::text[], $12::integer[], $13::integer[], $14::integer[], $15::integer[],
       $16::boolean[], $17::text[], $18::timestamptz[], $19::timestamptz[], $20::text[], $21::float8[], $22::boolean[],
       $23::boolean[], $24::boolean[]) WITH ORDINALITY AS g (own, origin, project_key, workspace, filename,
       markdown_content, status, priority, run_at, issue_number, idem_key, attempts, recoveries, max_attempts, claim_epoch,
       cancel_requested, error, created_at, processed_at, worker, lease_ms, is_live, is_running, is_held, nth)),
   numbered AS MATERIALIZED (
     SELECT g.*, coalesce(g.own, (SELECT p.id FROM nexus_inbox_queue AS p WHERE p.origin = g.origin), ${nextId}) AS id
     FROM given AS g ORDER BY g.nth)
   INSERT INTO nexus_inbox_queue AS q (id, origin, project_key, workspace, filename, markdown_content, status, priority,
     run_at, issue_number, idem_key, attempts, recoveries, max_attempts, claim_epoch, cancel_requested, error, created_at,
     processed_at, claimed_by, lease_ms, claimed_at, lease_expires_at, live_key, running_key, hold_key)
   SELECT n.id, n.origin, n.project_key, n.workspace, n.filename, n.markdown_content, n.status, n.priority, n.run_at,
     n.issue_number, n.idem_key, n.attempts, n.recoveries, n.max_attempts, n.claim_epoch, n.cancel_requested, n.error,
     n.created_at, n.processed_at, n.worker, n.lease_ms, CASE WHEN n.worker IS NOT NULL THEN clock_timestamp() END,
     clock_timestamp() + make_interval(secs => n.lease_ms / 1000), CASE WHEN n.is_live THEN ${liveKey('n')} END,
     CASE WHEN n.is_running THEN ${issueKey('n.project_key', 'n.issue_number')} END,
     CASE WHEN n.is_held THEN ${nameKey('n')} END
   FROM numbered AS n`

export const writeTasks: { readonly [W in Writing]: Statement<{ id: number }> } = {
  new: statement(`${insertTasks} RETURNING q.id`),
  over: statement(
    `${insertTasks}
   ON CONFLICT (id) DO UPDATE SET project_key = EXCLUDED.project_key, workspace = EXCLUDED.workspace,
     filename = EXCLUDED.filename, markdown_content = EXCLUDED.markdown_content, status = EXCLUDED.status,
     priority = EXCLUDED.priority, run_at = EXCLUDED.run_at, issue_number = EXCLUDED.issue_number,
     idem_key = EXCLUDED.idem_key, attempts = EXCLUDED.attempts, recoveries = EXCLUDED.recoveries,
     max_attempts = EXCLUDED.max_attempts, claim_epoch = EXCLUDED.claim_epoch, cancel_requested = EXCLUDED.cancel_requested,
     error = EXCLUDED.error, created_at = EXCLUDED.created_at, processed_at = EXCLUDED.processed_at,
     claimed_by = EXCLUDED.claimed_by, lease_ms = EXCLUDED.lease_ms, claimed_at = EXCLUDED.claimed_at,
     lease_expires_at = EXCLUDED.lease_expires_at, live_key = EXCLUDED.live_key, running_key = EXCLUDED.running_key,
     hold_key = EXCLUDED.hold_key, heartbeats = q.heartbeats + 1
   WHERE q.origin IS NOT DISTINCT FROM EXCLUDED.origin
   RETURNING q.id`,
  ),
}

const taken = (column: string): string => `q.${column} = ANY(ARRAY(SELECT ${column} FROM given))`

/**
 * Whoever has a key that one of these tasks is about to take gives it up. $1 to $5 make the keys, $6 to $8 say which are
 * taken: of the name while it lives, of the issue while it runs, of the name while it is held.
 */
export const displaceTasks = statement(
  `WITH given AS MATERIALIZED (
     SELECT CASE WHEN g.is_live THEN ${liveKey('g')} END AS live_key, g.idem_key,
       CASE WHEN g.is_running THEN ${issueKey('g.project_key', 'g.issue_number')} END AS running_key,
       CASE WHEN g.is_held THEN ${nameKey('g')} END AS hold_key
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::boolean[], $8::boolean[])
       AS g (project_key, workspace, filename, issue_number, idem_key, is_live, is_running, is_held)),
   met AS MATERIALIZED (
     SELECT q.id FROM nexus_inbox_queue AS q WHERE ${taken('live_key')}
     UNION SELECT q.id FROM nexus_inbox_queue AS q WHERE ${taken('idem_key')}
     UNION SELECT q.id FROM nexus_inbox_queue AS q WHERE ${taken('running_key')}
     UNION SELECT q.id FROM nexus_inbox_queue AS q WHERE ${taken('hold_key')})
   UPDATE nexus_inbox_queue AS q SET
     live_key = CASE WHEN ${taken('live_key')} OR ${taken('idem_key')} THEN NULL ELSE q.live_key END,
     idem_key = CASE WHEN ${taken('idem_key')} THEN NULL ELSE q.idem_key END,
     running_key = CASE WHEN ${taken('running_key')} THEN NULL ELSE q.running_key END,
     hold_key = CASE WHEN ${taken('hold_key')} THEN NULL ELSE q.hold_key END
   FROM met WHERE q.id = met.id`,
)
