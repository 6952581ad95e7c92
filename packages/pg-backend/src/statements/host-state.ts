import { statement } from '../query.ts'
import { revOf } from '../rev.ts'
import { recordedAs } from './applied.ts'

export type HostStateRow = { key: string; data: string; updated_at: Date | number; hash: string }

const hash = revOf('h', ['key', 'data'])
const columns = `h.key, h.data, h.updated_at, ${hash} AS hash`

export const loadHostState = statement<HostStateRow>(`SELECT ${columns} FROM nexus_host_state AS h WHERE h.key = $1`)

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
