import { statement } from '../query.ts'
import { liveKey, liveTwin, publicIdOf } from './inbox.ts'

const names = `$1::text[], $2::text[], $3::text[], $4::text[]`

/**
 * Identities that are taken already get no id: a caller that asks again and again must not use up the sequence. Rows are
 * inserted in the order of their live keys, so that two batches never wait for each other crosswise; the ids keep the
 * order of the batch. What was inserted is looked up in a hash: as a join, which the planner takes for one of single rows,
 * each of the batch would be compared with each other.
 */
export const enqueueTasks = statement<{ nth: number; id: number }>(
  `WITH given AS MATERIALIZED (
     SELECT g.* FROM (
       SELECT g.*, ${liveKey('g')} AS live_key
       FROM unnest(${names}, $5::text[], $6::integer[], $7::timestamptz[], $8::integer[], $9::text[])
         WITH ORDINALITY AS g (project_key, workspace, filename, idem_key, markdown_content, priority, run_at, max_attempts, issue_number, nth)
       OFFSET 0) AS g
     WHERE CASE WHEN g.idem_key IS NULL THEN ${liveTwin('g', '', 'g.live_key')}
       ELSE (SELECT k.id FROM nexus_inbox_queue AS k WHERE k.idem_key = g.idem_key) END IS NULL),
   numbered AS MATERIALIZED (
     SELECT g.*, nextval((SELECT pg_get_serial_sequence('nexus_inbox_queue', 'id')::regclass))::integer AS id FROM given AS g
     ORDER BY g.nth),
   fresh AS (
     INSERT INTO nexus_inbox_queue AS q (id, project_key, workspace, filename, markdown_content, status, priority, run_at,
       max_attempts, issue_number, idem_key, live_key, created_at)
     SELECT n.id, n.project_key, n.workspace, n.filename, n.markdown_content, 'pending', n.priority,
       coalesce(n.run_at, statement_timestamp()), n.max_attempts, n.issue_number, n.idem_key, n.live_key, statement_timestamp()
     FROM numbered AS n ORDER BY n.live_key COLLATE "C"
     ON CONFLICT DO NOTHING
     RETURNING q.id)
   SELECT n.nth::integer AS nth, n.id FROM numbered AS n WHERE (n.id IN (SELECT f.id FROM fresh AS f)) IS TRUE`,
)

/** Who has these identities now. */
export const findTasks = statement<{ nth: number; id: string | null }>(
  `SELECT f.nth::integer AS nth, ${publicIdOf('f.id')} AS id
   FROM (
     SELECT g.nth, CASE WHEN g.idem_key IS NULL THEN ${liveTwin('g')}
       ELSE (SELECT k.id FROM nexus_inbox_queue AS k WHERE k.idem_key = g.idem_key) END AS id
     FROM unnest(${names}) WITH ORDINALITY AS g (project_key, workspace, filename, idem_key, nth)) AS f`,
)

/** A hint need not survive a power cut, so its commit waits for no disk. */
export const wakeUp = statement<{ durable: string; woken: number }>(
  `SELECT set_config('synchronous_commit', 'off', true) AS durable,
     (SELECT count(pg_notify('nexus_inbox', left(p.project_key, 200)))::integer FROM unnest($1::text[]) AS p (project_key)) AS woken`,
)
