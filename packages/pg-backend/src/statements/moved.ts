import type { StoreName } from '@nexus/core'
import { statement } from '../query.ts'

/** The tables of a store: what of it nobody may write once it moved. */
export const tableOf = {
  workflows: 'nexus_workflows',
  completions: 'nexus_completions',
  hostState: 'nexus_host_state',
  taskFiles: 'nexus_task_files',
  inbox: 'nexus_inbox_queue',
} as const satisfies Record<StoreName, string>

export type MovedRow = { store: string; moved_to: string; at: Date; moved_by: string | null }

export const listMoved = statement<MovedRow>(
  `SELECT m.store, m.moved_to, m.at, m.moved_by FROM nexus_moved AS m ORDER BY m.store`,
)

/**
 * Gives back which of them are put. $5: moves whose marks may be replaced besides those of its own move and of nobody's; a mark
 * that another move put stays.
 */
export const markMoved = statement<{ store: string }>(
  `INSERT INTO nexus_moved AS m (store, moved_to, at, moved_by)
   SELECT g.store, g.moved_to, g.at, g.moved_by
   FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) AS g (store, moved_to, at, moved_by)
   ORDER BY g.store
   ON CONFLICT (store) DO UPDATE SET moved_to = EXCLUDED.moved_to, at = EXCLUDED.at, moved_by = EXCLUDED.moved_by
   WHERE m.moved_by IS NULL OR m.moved_by = EXCLUDED.moved_by OR m.moved_by = ANY($5::text[])
   RETURNING m.store`,
)

/** A copy of a database has the row too, and another oid. */
export const readIdentity = statement<{ identity: string }>(
  `SELECT i.id || '.' || d.oid AS identity FROM nexus_identity AS i, pg_database AS d WHERE d.datname = current_database()`,
)

export const unmarkMoved = statement(`DELETE FROM nexus_moved AS m WHERE m.store = ANY($1::text[])`)

/** Passes the fence and the triggers that speak for other programs, for this transaction alone. */
export const asMover = `SET LOCAL nexus.mover = 'on'`

/**
 * The same for a single statement, as the first table of what it reads: the triggers of rows come after it, the fence does not.
 */
export const asMoverInline = `(SELECT set_config('nexus.mover', 'on', true) OFFSET 0) AS mover`

/** Waits for the writers under way; whoever writes after the commit meets it. */
export const putFence = (store: StoreName): string =>
  `CREATE OR REPLACE TRIGGER nexus_moved_fence BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${tableOf[store]}
   FOR EACH STATEMENT WHEN (current_setting('nexus.mover', true) IS DISTINCT FROM 'on')
   EXECUTE FUNCTION nexus_moved_fence('${store}')`

export const dropFence = (store: StoreName): string => `DROP TRIGGER IF EXISTS nexus_moved_fence ON ${tableOf[store]}`
