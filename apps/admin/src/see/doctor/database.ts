import type { DatabaseSurvey, Server } from '@nexus/pg-backend'
import { type Check, type Finding, fail, ok, warn } from './finding.ts'

/** A check of the server; none where it cannot be reached, which `database` tells. */
const check = (name: string, look: (server: Server) => Finding | null): Check => ({
  name,
  async look(sources) {
    const server = await sources.server()
    return server && look(server)
  },
})

/** By SQLSTATE, of what a server answers to whom it does not let in. */
const refusals: Readonly<Record<string, string>> = {
  '28P01': 'Set NEXUS_STORAGE_DSN to the right password, percent-encoded; or: ALTER ROLE … PASSWORD …',
  '28000': 'Let the role in: CREATE ROLE … LOGIN, and a line for it in pg_hba.conf.',
  '3D000': 'Make the database (createdb …), or name another in NEXUS_STORAGE_DSN.',
  '53300': 'Raise max_connections, or end some of the programs that hold connections.',
  '57P03': 'Wait for the server to finish starting; its log says how far it is.',
}

const unreachable = (
  variable: string,
  { reason, state }: Extract<DatabaseSurvey, { status: 'unreachable' }>,
): Finding =>
  fail({
    message: `${variable}: ${reason}`,
    fix:
      refusals[state ?? ''] ??
      `Start the server, or correct host and port in ${variable}. What it keeps: nexus-admin status`,
  })

const database: Check = {
  name: 'database',
  async look({ database: survey, routedTo }) {
    const found = await survey()
    if (!found) return null
    if (found.status === 'reached') return ok('PostgreSQL answers.')
    const finding = unreachable('NEXUS_STORAGE_DSN', found)
    return routedTo('postgres').length > 0 ? finding : { ...finding, status: 'warn' }
  },
}

const listen: Check = {
  name: 'listen',
  async look({ listen: survey }) {
    const found = await survey()
    if (!found) return null
    return found.status === 'reached'
      ? ok('The way for LISTEN leads to a server.')
      : { ...unreachable('NEXUS_STORAGE_LISTEN_DSN', found), status: 'warn' }
  },
}

const major = (version: number): number => Math.floor(version / 10_000)

const version = check('server-version', ({ version }) =>
  major(version) >= 14
    ? ok(`PostgreSQL ${major(version)} serves.`)
    : fail({
        message: `The server is PostgreSQL ${major(version)}; 14 is the oldest that serves.`,
        fix: 'Upgrade the server with pg_upgrade, or name another in NEXUS_STORAGE_DSN.',
      }),
)

const standby = check('standby', ({ isStandby }) =>
  isStandby
    ? fail({
        message: 'The server is a standby: it cannot be written to.',
        fix: 'Name the primary in NEXUS_STORAGE_DSN, or promote this one: SELECT pg_promote();',
      })
    : ok('The server can be written to.'),
)

const durability = check('durability', ({ lossy }) =>
  lossy.length === 0
    ? ok('A commit waits for the disk.')
    : warn({
        message: `A power cut at the server loses what was acknowledged: ${lossy.join(', ')} off.`,
        detail: lossy,
        fix: `ALTER SYSTEM SET ${lossy[0]} = on; SELECT pg_reload_conf(); and look for it in ALTER ROLE and ALTER DATABASE.`,
      }),
)

const rights = check('rights', ({ rights }) =>
  rights === null
    ? ok('The role may do what is needed.')
    : fail({ message: rights.replace(/ Run.*$/, ''), fix: rights.replace(/^.*?(?=Run)/, '') }),
)

const schema = check('schema', ({ schema, hasOtherInbox }) => {
  if (hasOtherInbox) return null
  if (schema.status === 'current') return ok('The tables are of this version.')
  if (schema.status === 'absent')
    return ok('The tables are not there yet; the first that opens the database makes them.')
  if (schema.status === 'older')
    return warn({
      message: `The tables are older than this program: ${schema.pending.join(', ')} to come.`,
      fix: 'Nothing by hand: the first host or other program of Nexus that opens the database migrates it.',
    })
  return fail({
    message: schema.reason,
    fix:
      schema.status === 'unreadable'
        ? 'Have the owner of the tables run: GRANT SELECT ON _prisma_migrations TO this role.'
        : 'Use a program that fits the database; nothing here opens it.',
  })
})

const otherInbox = check('other-inbox', ({ hasOtherInbox }) =>
  hasOtherInbox
    ? fail({
        message:
          'The inbox of this database is the table nexus_inbox_tasks of an earlier program, and nothing opens it.',
        fix: 'nexus-admin adopt',
      })
    : ok('No earlier program has its inbox here under another name.'),
)

/** Clocks that differ by more make leases and due times surprising to people. Milliseconds. */
const mostSkewMs = 5_000

const clock = check('clock', ({ aheadMs }) => {
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1)
  if (Math.abs(aheadMs) <= mostSkewMs) return ok(`The clock here and that of the database differ by ${seconds} s.`)
  return warn({
    message: `The clock of the database is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the one here.`,
    fix: 'Set both by NTP: timedatectl set-ntp true',
  })
})

/** The server and what this program may do there. */
export const databaseChecks: readonly Check[] = [
  database,
  listen,
  version,
  standby,
  durability,
  rights,
  otherInbox,
  schema,
  clock,
]
