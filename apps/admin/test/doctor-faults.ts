import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Backend, readConfig, StoreError } from '@nexus/core'
import { openFsBackend, openJournalFiles } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { openRouter } from '@nexus/router'
import { createFakes } from '@nexus/testkit'
import pg from 'pg'
import { openStores } from '../../host/proof/stores.ts'
import { currentProcess, formatIdentity } from '../../host/src/runner/index.ts'
import type { Ground } from './admin.ts'

/** Where a fault is planted: a healthy place, with what it takes to spoil it. */
export interface Patient {
  ground: Ground
  root: string
  /** Writes below the root. */
  write(path: string, text: string): string
  /** Plain SQL, as an operator has it. */
  sql(text: string, values?: unknown[]): Promise<void>
  stores<T>(work: (stores: Backend) => Promise<T>): Promise<T>
  /** Statements to run when the doctor is done: roles outlive their database. */
  readonly afterwards: string[]
}

/** What a plant leaves to run the doctor with. */
type Planted = Record<string, string> | undefined

export interface Fault {
  check: string
  what: string
  status: 'warn' | 'fail'
  message: RegExp
  fix: RegExp
  /** Whether --fix mends it. */
  safe?: true
  plant(patient: Patient): Promise<Planted> | Planted
}

export const createPatient = (ground: Ground): Patient => {
  const root = ground.env['NEXUS_DIR'] ?? ''
  return {
    ground,
    root,
    afterwards: [],
    write(path, text) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return file
    },
    async sql(text, values) {
      const client = new pg.Client({ connectionString: ground.env['NEXUS_STORAGE_DSN'] })
      await client.connect()
      try {
        await client.query(text, values)
      } finally {
        await client.end()
      }
    },
    async stores(work) {
      await using stores = await openStores(ground.env)
      return await work(stores)
    },
  }
}

/** A record of each store, a secret that its owner alone may read. */
export const fill = async ({ stores, write, root }: Patient): Promise<void> => {
  await stores(async ({ workflows, completions, hostState, taskFiles, inbox }) => {
    const about = { project: 'shop', issueNumber: '7' }
    await workflows.save({ id: 'shop-7-bug', name: 'Bug', state: 'running', currentStep: 0, data: {}, ...about })
    const report = {
      agentType: 'developer',
      status: 'complete',
      summary: 'Done.',
      payload: {},
      reportId: null,
    } as const
    await completions.save({ ...about, ...report })
    await hostState.save('tracked_issues', {})
    await taskFiles.save({ project: 'shop', filename: 'cart.md', content: 'The cart forgets.' })
    await inbox.enqueue([{ project: 'shop', filename: 'next.md', markdown: 'Next.' }])
  })
  mkdirSync(join(root, 'host'), { recursive: true, mode: 0o700 })
  chmodSync(write('host/secret', 'canary'), 0o600)
}

const nexusYaml = (command: string): string =>
  `projects: { shop: { workspace: . } }\nagents: { developer: { command: ${command} } }\n` +
  `workflows: { chain: { steps: [{ id: develop, agent_type: developer, prompt: 'Do it.' }] } }\n`

/** A process of this machine that is provably gone: of this pid, and another start. */
const gone = () => ({ ...currentProcess(), startTime: '1' })

const claim = async ({ inbox }: Backend, leaseMs: number) => {
  const [task] = await inbox.claim({ worker: 'w1', limit: 1, leaseMs })
  if (!task) throw new Error('There was no task to claim.')
  return task
}

const overdue: Omit<Fault, 'what'> = {
  check: 'leases',
  status: 'warn',
  message: /^1 task in processing has a lease that ran out\.$/,
  fix: /nexus-host run/,
  async plant({ stores }) {
    await stores((open) => claim(open, 1))
    return undefined
  },
}

const deadLetter: Omit<Fault, 'what'> = {
  check: 'dead-letters',
  status: 'warn',
  message: /^1 task failed for good\.$/,
  fix: /nexus-admin inbox requeue/,
  async plant({ stores }) {
    await stores(async (open) => {
      const { claim: held } = await claim(open, 60_000)
      await open.inbox.fail(held, 'broken', { fatal: true })
    })
    return undefined
  },
}

const away: Omit<Fault, 'plant'> = {
  check: 'moved',
  what: 'a store that moved away',
  status: 'fail',
  message: /^taskFiles: moved away from where it is routed to\.$/,
  fix: /^Set NEXUS_TASK_BACKEND=\w+ for every program/,
}

/** What can be wrong wherever the stores are. */
export const anywhere: readonly Fault[] = [
  {
    check: 'variables',
    what: 'a misspelt variable',
    status: 'warn',
    message: /^Nothing reads NEXUS_INBOX_BACKAND\.$/,
    fix: /^Rename NEXUS_INBOX_BACKAND to NEXUS_INBOX_BACKEND\.$/,
    plant: () => ({ NEXUS_INBOX_BACKAND: 'postgres' }),
  },
  {
    check: 'configuration',
    what: 'a backend that there is not',
    status: 'fail',
    message: /^NEXUS_INBOX_BACKEND=redis: unknown backend\. Use filesystem or postgres/,
    fix: /^Set NEXUS_INBOX_BACKEND right/,
    plant: () => ({ NEXUS_INBOX_BACKEND: 'redis' }),
  },
  {
    check: 'host-file',
    what: 'a misspelt member in nexus.yaml',
    status: 'fail',
    message: /nexus\.yaml: 1 problem\.$/,
    fix: /nexus-host check/,
    plant({ ground }) {
      writeFileSync(join(ground.folder, 'nexus.yaml'), `${nexusYaml('[node]')}concurency: 3\n`)
      return undefined
    },
  },
  {
    check: 'agent-programs',
    what: 'an agent whose program is not installed',
    status: 'warn',
    message: /^Not found: no-such-agent-here\.$/,
    fix: /^Install no-such-agent-here, add its folder to PATH, or change agents\.developer\.command\.$/,
    plant({ ground }) {
      writeFileSync(join(ground.folder, 'nexus.yaml'), nexusYaml('[no-such-agent-here, --yes]'))
      return undefined
    },
  },
]

export const onFiles: readonly Fault[] = [
  {
    check: 'root',
    what: 'a file in the place of the root',
    status: 'fail',
    message: /other is no folder: move it away, or name another\.$/,
    fix: /NEXUS_DIR/,
    plant({ ground }) {
      writeFileSync(join(ground.folder, 'other'), '')
      return { NEXUS_DIR: join(ground.folder, 'other') }
    },
  },
  {
    check: 'secrets',
    what: 'a secret that everybody may read',
    status: 'warn',
    message: /^Others may read 1 secret\.$/,
    fix: /^chmod go-rwx .*host\/secret; --fix does it\.$/,
    safe: true,
    plant({ root }) {
      chmodSync(join(root, 'host', 'secret'), 0o644)
      return undefined
    },
  },
  {
    check: 'secrets',
    what: 'a root that everybody may write into',
    status: 'warn',
    message: /^Others may write into the root\.$/,
    fix: /^chmod go-w .*; --fix does it\.$/,
    safe: true,
    plant({ root }) {
      chmodSync(root, 0o777)
      return undefined
    },
  },
  {
    check: 'temp-files',
    what: 'a temp file of a process that is gone',
    status: 'warn',
    message: /^1 temp file of processes that are gone\.$/,
    fix: /nexus-admin doctor --fix/,
    safe: true,
    plant({ write }) {
      const anHourAgo = Date.now() / 1000 - 3700
      utimesSync(write('.tmp/elsewhere-1-1-x', 'half'), anHourAgo, anHourAgo)
      return undefined
    },
  },
  {
    check: 'quarantine',
    what: 'a copy of content that could be lost',
    status: 'warn',
    message: /^1 copy of content that could be lost was put aside\.$/,
    fix: /rm .*\.quarantine\/0123-cart\.json$/,
    plant({ write }) {
      write('.quarantine/0123-cart.json', '{"half')
      return undefined
    },
  },
  {
    check: 'records',
    what: 'a workflow cut in half',
    status: 'fail',
    message: /^1 record cannot be read \(\d+ looked at, all\)\.$/,
    fix: /^Restore .*workflows\/shop-8-bug\.json from a backup/,
    plant({ write }) {
      write('workflows/shop-8-bug.json', '{"id": "shop-8')
      return undefined
    },
  },
  {
    check: 'records',
    what: 'a completion with a flipped bit',
    status: 'fail',
    message: /^1 record cannot be read/,
    fix: /^Restore .*\.by-key\/ab\/cd\.json from a backup/,
    plant({ write }) {
      write('tasks/shop/completions/.by-key/ab/cd.json', '{"seq": 1, "check": "0"}')
      return undefined
    },
  },
  {
    check: 'runs',
    what: 'a run whose supervisor is gone',
    status: 'warn',
    message: /^1 run has lost the process that watched it\.$/,
    fix: /nexus-host run/,
    plant({ write }) {
      write('runs/a1/spec.json', JSON.stringify({ attempt: 'a1', env: { NEXUS_PROJECT: 'shop', NEXUS_ISSUE: '7' } }))
      write('runs/a1/started', JSON.stringify({ ...gone(), startedAt: '2026-01-01T00:00:00.000Z' }))
      return undefined
    },
  },
  {
    check: 'launched-agents',
    what: 'an agent whose host is gone',
    status: 'warn',
    message: /^1 agent entered as launched has a host that is gone\.$/,
    fix: /nexus-host run/,
    async plant({ stores }) {
      const entry = { host: formatIdentity(gone()), step_id: 'develop', project: 'shop', issue_number: '7' }
      await stores(({ hostState }) => hostState.save('launched_agents', { a1: entry, foreign: { pid: 1 } }))
      return undefined
    },
  },
  {
    check: 'fuses',
    what: 'a role that keeps failing',
    status: 'warn',
    message: /^Left alone for a while because they failed again and again: developer\.$/,
    fix: /tried again by itself/,
    async plant({ stores }) {
      const until = new Date(Date.now() + 600_000).toISOString()
      await stores(({ hostState }) =>
        hostState.save('agent_fuses', {
          developer: { failures: 5, error: 'exit 1', until },
          old: { until: '2026-01-01' },
        }),
      )
      return undefined
    },
  },
  { what: 'a task whose holder is silent', ...overdue },
  { what: 'a task out of tries', ...deadLetter },
  {
    ...away,
    async plant({ root }) {
      await using files = await openFsBackend({ root, ...createFakes().context })
      await files.records?.markMoved([{ store: 'taskFiles', to: 'postgres', at: new Date() }])
      return undefined
    },
  },
]

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
