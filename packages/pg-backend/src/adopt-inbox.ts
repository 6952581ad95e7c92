import type { Logger } from '@nexus/core'
import { openPgClient, type PgClientOptions } from './client.ts'
import { applyMigration, createLedger, ledgerOf, pendingOf } from './ledger.ts'
import { inTurn } from './migrate.ts'
import { migrations } from './migrations.ts'
import { inbox, inboxKinds, otherInbox } from './other-inbox.ts'
import { refuse } from './refuse.ts'
import { checkRole } from './role.ts'
import type { Query } from './session.ts'

export interface AdoptInboxOptions extends Pick<PgClientOptions, 'timeoutMs'> {
  dsn: string
  logger: Logger
  /** How long to wait for whoever holds the table, in milliseconds. One minute unless given. */
  patienceMs?: number
}

/** `already`: an earlier call did it. `absent`: there is no table `nexus_inbox_tasks`. */
export type AdoptInboxResult = { status: 'adopted' | 'already' | 'absent' }

const describeTable = `SELECT
    (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    quote_ident(pg_get_userbyid(c.relowner)) AS owner,
    ARRAY(SELECT format('GRANT %s ON %s TO %s', g.privilege_type, quote_ident(c.relname),
        CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END)
      FROM aclexplode(c.relacl) AS g
      WHERE g.grantee <> c.relowner AND g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')) AS grants
  FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = $1`

type Described = { columns: string; owner: string; grants: string[] }

/** A view of the old columns alone; the counter of the ids keeps its name, so the program may also ask that. */
const leaveView = async (query: Query, { columns, owner, grants }: Described): Promise<void> => {
  await query(`CREATE VIEW ${otherInbox} AS SELECT ${columns} FROM ${inbox}`)
  for (const grant of grants) await query(grant)
  await query(`ALTER VIEW ${otherInbox} OWNER TO ${owner}`)
}

const adopt = async (query: Query): Promise<AdoptInboxResult> => {
  const { ours, other } = await inboxKinds(query)
  if (other === 'none') return { status: 'absent' }
  if (other === 'view' && ours === 'table') return { status: 'already' }
  if (ours !== 'none')
    return refuse(`Both ${inbox} and ${otherInbox} are there: say which one is the inbox by renaming the other one.`)
  await checkRole(query, [otherInbox])
  await query(createLedger)
  const pending = pendingOf(migrations, await ledgerOf(query))
  if (pending.length < migrations.length)
    return refuse(`The tables were made before, and ${inbox} was removed since. Restore it first.`)
  const described = (await query<Described>(describeTable, [otherInbox])).rows[0]
  if (!described) return { status: 'absent' }
  await query(`ALTER TABLE ${otherInbox} RENAME TO ${inbox}`)
  for (const migration of pending) await applyMigration(query, migration)
  await leaveView(query, described)
  return { status: 'adopted' }
}

/**
 * Makes an earlier program's `nexus_inbox_tasks` our inbox: in one transaction it is renamed, gets our columns, and leaves a
 * view with its old columns under the old name, through which that program goes on working. Rows stay as they are.
 */
export const adoptInbox = async ({ logger, patienceMs, ...options }: AdoptInboxOptions): Promise<AdoptInboxResult> => {
  await using client = openPgClient({ ...options, logger })
  const result = await inTurn({ client, ...(patienceMs !== undefined && { patienceMs }) }, adopt)
  if (result.status === 'adopted') logger.info('Adopted an earlier inbox', { from: otherInbox, as: inbox })
  return result
}
