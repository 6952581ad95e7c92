import { chmodSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { createFakes } from '@nexus/testkit'
import { currentProcess, formatIdentity } from '../../host/src/runner/index.ts'
import type { Fault } from './doctor-patient.ts'

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

export const overdue: Omit<Fault, 'what'> = {
  check: 'leases',
  status: 'warn',
  message: /^1 task in processing has a lease that ran out\.$/,
  fix: /nexus-host run/,
  async plant({ stores }) {
    await stores((open) => claim(open, 1))
    return undefined
  },
}

export const deadLetter: Omit<Fault, 'what'> = {
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

export const away: Omit<Fault, 'plant'> = {
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
