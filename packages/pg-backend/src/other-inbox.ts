import { refuse } from './refuse.ts'
import type { Query } from './session.ts'

/** What an earlier program may have called the inbox. */
export const otherInbox = 'nexus_inbox_tasks'
export const inbox = 'nexus_inbox_queue'

export type InboxKind = 'table' | 'view' | 'none'

const findKinds = `SELECT c.relname AS name, c.relkind IN ('r', 'p') AS is_table FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($1)`

/** What stands under both names. */
export const inboxKinds = async (query: Query): Promise<{ ours: InboxKind; other: InboxKind }> => {
  const { rows } = await query<{ name: string; is_table: boolean }>(findKinds, [[inbox, otherInbox]])
  const kindOf = (name: string): InboxKind => {
    const row = rows.find((each) => each.name === name)
    return row ? (row.is_table ? 'table' : 'view') : 'none'
  }
  return { ours: kindOf(inbox), other: kindOf(otherInbox) }
}

/** An empty inbox beside a full one would look like work that was lost. */
export const refuseOtherInbox = async (query: Query): Promise<void> => {
  const { ours, other } = await inboxKinds(query)
  if (ours === 'none' && other === 'table')
    refuse(
      `The inbox of this database is the table ${otherInbox} of an earlier program. Nothing was changed. ` +
        `Run \`nexus-admin adopt\` once: it becomes ${inbox}, and a view under its old name serves that program on.`,
    )
}
