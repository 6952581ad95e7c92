import { statement } from '../query.ts'
import { revOf } from '../rev.ts'
import { recordedAs } from './applied.ts'

export type HostStateRow = { key: string; data: string; updated_at: Date | number; hash: string }

const hash = revOf('h', ['key', 'data'])
const columns = `h.key, h.data, h.updated_at, ${hash} AS hash`

export const loadHostState = statement<HostStateRow>(`SELECT ${columns} FROM nexus_host_state AS h WHERE h.key = $1`)

export const loadHostStates = statement<HostStateRow>(
  `SELECT ${columns} FROM nexus_host_state AS h WHERE h.key = ANY($1::text[])`,
)

/** With the id of the operation, if it is one. */
const writing = (effect: string, id: string): string =>
  `done AS (${effect} RETURNING ${hash} AS hash),
   ${recordedAs(id, `json_build_object('status', 'saved', 'rev', done.hash)`)}
   SELECT hash FROM done`

const inserted = `INSERT INTO nexus_host_state AS h (key, data, updated_at) VALUES ($1, $2, clock_timestamp())`

/** $3: the operation. Nothing comes back where the present data may be unreadable: it is not written over unseen. */
export const saveHostState = statement<{ hash: string }>(
  `WITH ${writing(
    `${inserted} ON CONFLICT (key) DO UPDATE SET data = excluded.data, updated_at = clock_timestamp()
     WHERE nexus_is_readable(h.data)`,
    '$3',
  )}`,
)

/**
 * Many keys at once, each no more than once; $3: the operations. What comes back was saved. Who holds a lock on one of
 * them keeps only that one waiting, in a statement of its own; a value that may be unreadable is left to that as well.
 */
export const saveHostStates = statement<{ key: string; hash: string }>(
  `WITH given AS MATERIALIZED (SELECT g.* FROM unnest($1::text[], $2::text[], $3::text[]) AS g (key, data, id)),
   free AS MATERIALIZED (
     SELECT l.key FROM given AS g CROSS JOIN LATERAL (
       SELECT h.key FROM nexus_host_state AS h WHERE h.key = g.key AND nexus_is_readable(h.data)
       FOR UPDATE OF h SKIP LOCKED) AS l),
   updated AS (
     UPDATE nexus_host_state AS h SET data = g.data, updated_at = clock_timestamp() FROM given AS g
     WHERE h.key = g.key AND h.key = ANY(ARRAY(SELECT f.key FROM free AS f))
     RETURNING h.key, ${hash} AS hash),
   created AS (
     INSERT INTO nexus_host_state AS h (key, data, updated_at)
     SELECT g.key, g.data, clock_timestamp() FROM given AS g
     WHERE (SELECT p.key FROM nexus_host_state AS p WHERE p.key = g.key) IS NULL ORDER BY g.key
     ON CONFLICT (key) DO NOTHING
     RETURNING h.key, ${hash} AS hash),
   done AS (
     SELECT d.key, d.hash, g.id FROM (SELECT * FROM updated UNION ALL SELECT * FROM created) AS d JOIN given AS g ON g.key = d.key),
   ${recordedAs('done.id', `json_build_object('status', 'saved', 'rev', done.hash)`)}
   SELECT key, hash FROM done`,
)

/** $3: the operation. */
export const createHostState = statement<{ hash: string }>(
  `WITH ${writing(`${inserted} ON CONFLICT (key) DO NOTHING`, '$3')}`,
)

const keep = (reason: string): string =>
  `INSERT INTO nexus_quarantine (store, key, data, reason)
   SELECT 'nexus_host_state', h.key, h.data, ${reason} FROM nexus_host_state AS h WHERE h.key = $1`

/**
 * Only while it is what it was: $3. $4: the operation. $5: why a copy of what is replaced is kept in the same
 * transaction; null: it is not.
 */
export const replaceHostState = statement<{ hash: string }>(
  `WITH kept AS (${keep('$5::text')} AND ${hash} = $3 AND $5::text IS NOT NULL),
   ${writing(
     `UPDATE nexus_host_state AS h SET data = $2, updated_at = clock_timestamp() WHERE h.key = $1 AND ${hash} = $3`,
     '$4',
   )}`,
)

export const deleteHostState = statement<{ key: string }>(
  `WITH kept AS (${keep(`'unreadable, deleted'`)} AND ${hash} = $2 AND $3::boolean)
   DELETE FROM nexus_host_state AS h WHERE h.key = $1 AND ${hash} = $2
   RETURNING h.key`,
)

export const listHostStateKeys = statement<{ key: string }>(
  `SELECT h.key FROM nexus_host_state AS h
   WHERE $1::text IS NULL OR h.key COLLATE "C" > $1
   ORDER BY h.key COLLATE "C" LIMIT $2`,
)
