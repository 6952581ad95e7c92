import { type Statement, statement } from '../query.ts'

/** Member and values are JSON text. */
export type ConflictRow = {
  id: string
  store: string
  key: string
  member: string | null
  base: string | null
  ours: string | null
  theirs: string | null
  reason: string
  at: Date
  /** With the microseconds that a Date has not. */
  at_text: string
}

const columns = 'c.id, c.store, c.key, c.member, c.base, c.ours, c.theirs, c.reason, c.at, c.at::text AS at_text'

/** Lists of the same length: ids, members, bases, ours, theirs, reasons. $7: the store, $8: the key. */
export const insertConflicts = statement<{ id: string }>(
  `INSERT INTO nexus_conflicts (id, store, key, member, base, ours, theirs, reason)
   SELECT g.id, $7::text, $8::text, g.member, g.base, g.ours, g.theirs, g.reason
   FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
     AS g (id, member, base, ours, theirs, reason)
   RETURNING id`,
)

/** Values: limit, then time and id of the last one. */
export const listConflicts = ({ after }: { after: boolean }): Statement<ConflictRow> =>
  statement(
    `SELECT ${columns} FROM nexus_conflicts AS c
     ${after ? 'WHERE (c.at, c.id) < ($2::timestamptz, $3::text)' : ''} ORDER BY c.at DESC, c.id DESC LIMIT $1`,
  )

/** It is over with the transaction; nobody else takes it meanwhile. */
export const takeConflict = statement<ConflictRow>(
  `DELETE FROM nexus_conflicts AS c WHERE c.id = $1 RETURNING ${columns}`,
)
