import { statement } from '../query.ts'
import { type InboxRow, inboxColumns, liveKey, liveTwin, nameKey, sameName } from './inbox.ts'

const names = `$1::text[], $2::text[], $3::text[], $4::text[]`

/**
 * Identities that are taken already get no id: a caller that asks again and again must not use up the sequence. Rows are
 * inserted in the order of their live keys, so that two batches never wait for each other crosswise; the ids keep the
 * order of the batch.
 */
export const enqueueTasks = statement<{ nth: number; id: number }>(
  `WITH given AS MATERIALIZED (
     SELECT g.* FROM unnest(${names}, $5::text[], $6::integer[], $7::timestamptz[], $8::integer[], $9::text[])
       WITH ORDINALITY AS g (project_key, workspace, filename, idem_key, markdown_content, priority, run_at, max_attempts, issue_number, nth)
     WHERE CASE WHEN g.idem_key IS NULL THEN ${liveTwin('g')}
       ELSE (SELECT k.id FROM nexus_inbox_queue AS k WHERE k.idem_key = g.idem_key) END IS NULL),
   numbered AS MATERIALIZED (
     SELECT g.*, nextval((SELECT pg_get_serial_sequence('nexus_inbox_queue', 'id')::regclass))::integer AS id FROM given AS g
     ORDER BY g.nth),
   fresh AS (
     INSERT INTO nexus_inbox_queue AS q (id, project_key, workspace, filename, markdown_content, status, priority, run_at,
       max_attempts, issue_number, idem_key, live_key, created_at)
     SELECT n.id, n.project_key, n.workspace, n.filename, n.markdown_content, 'pending', n.priority,
       coalesce(n.run_at, statement_timestamp()), n.max_attempts, n.issue_number, n.idem_key, ${liveKey('n')} AS live_key,
       statement_timestamp()
     FROM numbered AS n ORDER BY live_key
     ON CONFLICT DO NOTHING
     RETURNING q.id)
   SELECT n.nth::integer AS nth, n.id FROM numbered AS n JOIN fresh ON fresh.id = n.id`,
)

/** Who has these identities now. */
export const findTasks = statement<{ nth: number; id: number | null }>(
  `SELECT g.nth::integer AS nth, CASE WHEN g.idem_key IS NULL THEN ${liveTwin('g')}
     ELSE (SELECT k.id FROM nexus_inbox_queue AS k WHERE k.idem_key = g.idem_key) END AS id
   FROM unnest(${names}) WITH ORDINALITY AS g (project_key, workspace, filename, idem_key, nth)`,
)

/** A hint need not survive a power cut, so its commit waits for no disk. */
export const wakeUp = statement<{ durable: string; woken: number }>(
  `SELECT set_config('synchronous_commit', 'off', true) AS durable,
     (SELECT count(pg_notify('nexus_inbox', left(p.project_key, 200)))::integer FROM unnest($1::text[]) AS p (project_key)) AS woken`,
)

const anyProject = `
   (SELECT q.project_key FROM nexus_inbox_queue AS q WHERE q.status = 'pending' ORDER BY q.project_key LIMIT 1)
   UNION ALL
   SELECT n.project_key FROM project AS p CROSS JOIN LATERAL (
     SELECT q.project_key FROM nexus_inbox_queue AS q
     WHERE q.status = 'pending' AND q.project_key > p.project_key ORDER BY q.project_key LIMIT 1) AS n`

const someProjects = 'SELECT DISTINCT g.project_key FROM unnest($6::text[]) AS g (project_key)'

/** Nobody processes its name, and no due task of its name goes before it. */
const goesFirst = `(
       SELECT true FROM nexus_inbox_queue AS t
       WHERE ${sameName('t', 'q')} AND t.id <> q.id AND t.status IN ('pending', 'processing')
         AND (t.status = 'processing' OR (t.run_at <= statement_timestamp()
           AND (-t.priority, t.run_at, t.id) < (-q.priority, q.run_at, q.id)))
       LIMIT 1) IS NULL`

/** More than are wanted, since others may be taking the first ones right now. */
const candidates = '($1::bigint * 2 + 16)'

/**
 * $1 limit, $2 worker, $3 lease in ms, $4 projects by when they were served last, $5 cap per project or null, $6 projects.
 * The level of a task is how many its project would have in processing with it. `hold_key` makes the statement fail as a
 * whole where another claimer took a twin that this snapshot cannot see.
 */
const claim = (projects: string): string =>
  `WITH RECURSIVE project AS (${projects}),
   head AS MATERIALIZED (
     SELECT h.id, p.project_key, held.count + h.nth AS level
     FROM project AS p
     CROSS JOIN LATERAL (
       SELECT count(*) FROM nexus_inbox_queue AS o WHERE o.project_key = p.project_key AND o.status = 'processing') AS held
     CROSS JOIN LATERAL (
       SELECT q.id, row_number() OVER (ORDER BY q.priority DESC, q.run_at, q.id) AS nth
       FROM nexus_inbox_queue AS q
       WHERE q.project_key = p.project_key AND q.status = 'pending' AND q.run_at <= statement_timestamp() AND ${goesFirst}
       ORDER BY q.priority DESC, q.run_at, q.id
       LIMIT least(${candidates}, greatest(coalesce($5::bigint - held.count, ${candidates}), 0))) AS h),
   taken AS MATERIALIZED (
     SELECT mine.id FROM (
       SELECT * FROM head ORDER BY level, coalesce(array_position($4::text[], project_key), 0), project_key) AS h
     CROSS JOIN LATERAL (
       SELECT q.id FROM nexus_inbox_queue AS q
       WHERE q.id = h.id AND q.status = 'pending' AND q.run_at <= statement_timestamp()
       FOR UPDATE OF q SKIP LOCKED) AS mine
     LIMIT $1::bigint)
   UPDATE nexus_inbox_queue AS q SET status = 'processing', claim_epoch = q.claim_epoch + 1, claimed_by = $2::text,
     claimed_at = clock_timestamp(), lease_ms = $3::float8,
     lease_expires_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000), hold_key = ${nameKey('q')}
   WHERE q.id = ANY(ARRAY(SELECT id FROM taken))
   RETURNING ${inboxColumns}, array_position(ARRAY(SELECT id FROM taken), q.id) AS place`

export type ClaimedRow = InboxRow & { place: number }

export const claimTasks = statement<ClaimedRow>(claim(anyProject))

export const claimTasksOf = statement<ClaimedRow>(claim(someProjects))
