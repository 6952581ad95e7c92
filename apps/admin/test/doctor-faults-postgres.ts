import { readConfig, StoreError } from '@nexus/core'
import { openFsBackend, openJournalFiles } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { openRouter } from '@nexus/router'
import { createFakes } from '@nexus/testkit'
import { away, deadLetter, overdue } from './doctor-faults.ts'
import type { Fault } from './doctor-patient.ts'

const withoutServer = 'postgresql://nexus:canary@127.0.0.1:1/nexus'

export const onPostgres: readonly Fault[] = [
  {
    check: 'database',
    what: 'a server that does not answer',
    status: 'fail',
    message: /^NEXUS_STORAGE_DSN: PostgreSQL is not available: .*ECONNREFUSED/,
    fix: /^Start the server, or correct host and port in NEXUS_STORAGE_DSN/,
    plant: () => ({ NEXUS_STORAGE_DSN: withoutServer }),
  },
  {
    check: 'database',
    what: 'a database that there is not',
    status: 'fail',
    message: /^NEXUS_STORAGE_DSN: .*database "none" does not exist/,
    fix: /^Make the database \(createdb/,
    plant({ ground }) {
      const url = new URL(ground.env['NEXUS_STORAGE_DSN'] ?? '')
      url.pathname = '/none'
      return { NEXUS_STORAGE_DSN: url.href }
    },
  },
  {
    check: 'listen',
    what: 'a way for LISTEN that leads nowhere',
    status: 'warn',
    message: /^NEXUS_STORAGE_LISTEN_DSN: PostgreSQL is not available/,
    fix: /NEXUS_STORAGE_LISTEN_DSN/,
    plant: () => ({ NEXUS_STORAGE_LISTEN_DSN: withoutServer }),
  },
  {
    check: 'durability',
    what: 'commits that do not wait for the disk',
    status: 'warn',
    message: /synchronous_commit off\.$/,
    fix: /^ALTER SYSTEM SET .* = on;/,
    async plant({ ground, sql }) {
      const name = new URL(ground.env['NEXUS_STORAGE_DSN'] ?? '').pathname.slice(1)
      await sql(`ALTER DATABASE ${name} SET synchronous_commit = off`)
      return undefined
    },
  },
  {
    check: 'rights',
    what: 'a role that may not write',
    status: 'fail',
    message: /^The role reader_\w+ may not use the tables\.$/,
    fix: /^Run as their owner: .*GRANT INSERT, UPDATE, DELETE ON TABLE nexus_workflows TO reader_/,
    async plant({ ground, sql, afterwards }) {
      const name = `reader_${crypto.randomUUID().replaceAll('-', '')}`
      afterwards.push(`DROP OWNED BY ${name}`, `DROP ROLE ${name}`)
      await sql(`CREATE ROLE ${name} LOGIN PASSWORD 'canary'`)
      await sql(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${name}`)
      const url = new URL(ground.env['NEXUS_STORAGE_DSN'] ?? '')
      Object.assign(url, { username: name, password: 'canary' })
      return { NEXUS_STORAGE_DSN: url.href }
    },
  },
  {
    check: 'schema',
    what: 'tables of a newer program',
    status: 'fail',
    message: /newer than this program: it has 9999_future/,
    fix: /^Use a program that fits the database/,
    async plant({ sql }) {
      await sql(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '9999_future', now())`,
      )
      return undefined
    },
  },
  {
    check: 'schema',
    what: 'tables of an older program',
    status: 'warn',
    message: /^The tables are older than this program: 0004_outage/,
    fix: /migrates it/,
    async plant({ sql }) {
      await sql(`DELETE FROM _prisma_migrations WHERE migration_name >= '0004'`)
      return undefined
    },
  },
  {
    check: 'clock',
    what: 'a clock that is a minute ahead',
    status: 'warn',
    message: /^The clock of the database is (59|60)\.\d s behind the one here\.$/,
    fix: /NTP/,
    plant: () => ({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent('const now = Date.now; Date.now = () => now() + 60_000')}`,
    }),
  },
  {
    check: 'journal',
    what: 'what an outage wrote',
    status: 'warn',
    message: /^1 operation of an outage is not applied yet\.$/,
    fix: /nexus-admin journal ls$/,
    async plant({ ground, root }) {
      const { context } = createFakes()
      const away = () => Promise.reject(new StoreError({ code: 'unavailable', message: 'away' }))
      await using host = await openRouter({
        config: readConfig(ground.env),
        context,
        registry: { filesystem: ({ dir }) => openFsBackend({ root: dir, ...context }), postgres: away },
        journal: () => openJournalFiles({ root, ...context }),
      })
      await host.hostState.save('a', 1)
      return undefined
    },
  },
  {
    check: 'conflicts',
    what: 'two values of an outage',
    status: 'warn',
    message: /^1 conflict of an outage to be decided\.$/,
    fix: /^nexus-admin journal conflicts/,
    async plant({ ground }) {
      const { clock, context } = createFakes()
      await using backend = await openPgBackend({ dsn: ground.env['NEXUS_STORAGE_DSN'] ?? '', ...context })
      await backend.hostState.save('agents', { a: 'theirs' })
      const operation = { id: 'op1', kind: 'state-patch', key: 'agents', entries: { a: 'ours' }, remove: [] } as const
      const base = { known: 'value', value: { a: 'seen' } } as const
      await backend.operations?.replay([{ operation, at: clock.now(), sent: false, base }])
      return undefined
    },
  },
  {
    check: 'quarantine',
    what: 'a copy of a row that could be lost',
    status: 'warn',
    message: /^1 copy of content that could be lost was put aside\.$/,
    fix: /SELECT \* FROM nexus_quarantine/,
    async plant({ sql }) {
      await sql(
        `INSERT INTO nexus_quarantine (store, key, data, reason) VALUES ('hostState', 'a', '{"half', 'is not JSON')`,
      )
      return undefined
    },
  },
  {
    check: 'records',
    what: 'a value that is not JSON',
    status: 'fail',
    message: /^1 record cannot be read \(\d+ looked at, all\)\.$/,
    fix: /^Restore nexus_host_state key=broken from a backup/,
    async plant({ sql }) {
      await sql(`INSERT INTO nexus_host_state (key, data, updated_at) VALUES ('broken', '{"half', now())`)
      return undefined
    },
  },
  {
    check: 'other-backend',
    what: 'workflows in both backends',
    status: 'warn',
    message: /^workflows: records lie where nothing reads them\.$/,
    fix: /nexus-admin migrate .* NEXUS_WORKFLOW_BACKEND=filesystem$/,
    plant({ write }) {
      write('workflows/shop-9-bug.json', '{}')
      return undefined
    },
  },
  {
    check: 'foreign-claims',
    what: 'a task that another program took',
    status: 'warn',
    message: /^Another program took 1 task and no lease says/,
    fix: /nexus-admin inbox requeue/,
    async plant({ sql }) {
      await sql(`UPDATE nexus_inbox_queue SET status = 'processing'`)
      return undefined
    },
  },
  { what: 'a task whose holder is silent', ...overdue },
  { what: 'a task out of tries', ...deadLetter },
  {
    ...away,
    async plant({ ground }) {
      await using tables = await openPgBackend({ dsn: ground.env['NEXUS_STORAGE_DSN'] ?? '', ...createFakes().context })
      await tables.records?.markMoved([{ store: 'taskFiles', to: 'filesystem', at: new Date() }])
      return undefined
    },
  },
]
