import { statement } from '../query.ts'

/** What a second operation of the same id fails with. */
export const appliedKey = 'nexus_applied_pkey'

/**
 * Goes with `done`, the effect, in one statement: either both are there or none. Another statement of that id, also one
 * in flight, fails as a duplicate, and its effect is undone with it. `id`: null where the write is no operation.
 */
export const recordedAs = (id: string, answer: string): string =>
  `applied AS (INSERT INTO nexus_applied (id, answer) SELECT ${id}::text, ${answer}::text FROM done WHERE ${id}::text IS NOT NULL)`

/** For an operation that is over without an effect of its own. */
export const recordApplied = statement<{ id: string }>(
  'INSERT INTO nexus_applied (id, answer) VALUES ($1, $2) RETURNING id',
)

/**
 * What the first answered. It is written again, so that this commit is as durable as a commit can be: that of the first
 * may have been cut off while it waited for a standby.
 */
export const confirmApplied = statement<{ answer: string }>(
  'UPDATE nexus_applied SET answer = answer WHERE id = $1 RETURNING answer',
)

/** One at a time; the transaction that has it lets go with its end. */
export const takeReplayTurn = statement('SELECT pg_advisory_xact_lock($1)')

/** $1: days, $2: how many at most. */
export const pruneApplied = statement<{ id: string }>(
  `DELETE FROM nexus_applied WHERE id = ANY(ARRAY(
     SELECT a.id FROM nexus_applied AS a WHERE a.applied_at < now() - make_interval(days => $1::integer)
     ORDER BY a.applied_at LIMIT $2::bigint))
   RETURNING id`,
)
