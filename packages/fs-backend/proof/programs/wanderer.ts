import type { Backend, Claim } from '@nexus/core'
import { createIds, isStoreError, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '../../src/index.ts'
import { createDice } from './dice.ts'
import { canary } from './outside.ts'

/** What a writer and reader met on its way. */
export interface Wandered {
  operations: number
  /** How many were answered; the others were refused in words. */
  through: number
  /** What was read outside, and what was thrown without a type. */
  leaked: string[]
  untyped: string[]
}

const [, , root = '', role = '', count = '', seed = ''] = process.argv

const open = (): Promise<Backend> =>
  openFsBackend({
    root,
    clock: systemClock,
    ids: createIds(systemClock),
    logger: silentLogger,
    liveness: () => 'unknown',
  })

type Verb = (backend: Backend, n: number) => Promise<unknown>

const held: Claim[] = []
const lease = { worker: 'wanderer', leaseMs: 60_000 }
const file = { project: 'alpha', filename: 't.md' }

const writes: Record<string, Verb> = {
  open,
  save: ({ hostState }, n) => hostState.save('k', { n }),
  patch: ({ hostState }, n) => hostState.patch('k', { entries: { n } }),
  update: ({ hostState }, n) => hostState.update('k', () => ({ n })),
  delete: ({ hostState }) => hostState.delete('k'),
  workflow: ({ workflows }, n) =>
    workflows.save({ id: 'w', name: 'flow', state: 'running', currentStep: n, data: { n } }),
  completion: ({ completions }, n) =>
    completions.save({
      project: 'alpha',
      issueNumber: '1',
      agentType: 'developer',
      status: 'complete',
      summary: `report ${n}`,
      payload: { n },
      reportId: String(n),
    }),
  'task save': ({ taskFiles }, n) => taskFiles.save({ ...file, content: `content ${n}` }),
  'task close': ({ taskFiles }) => taskFiles.close('alpha', 't.md'),
  'task reopen': ({ taskFiles }) => taskFiles.reopen('alpha', 't.md'),
  'task delete': ({ taskFiles }) => taskFiles.delete('alpha', 't.md'),
  enqueue: ({ inbox }, n) => inbox.enqueue([{ project: 'alpha', filename: `${n}.md`, markdown: `task ${n}` }]),
  async claim({ inbox }) {
    const claimed = await inbox.claim({ ...lease, limit: 2 })
    held.push(...claimed.map(({ claim }) => claim))
    return claimed
  },
  heartbeat: ({ inbox }) => inbox.heartbeat(held.slice(-3)),
  async complete({ inbox }) {
    const claim = held.shift()
    return claim && inbox.complete(claim)
  },
  async fail({ inbox }) {
    const claim = held.shift()
    return claim && inbox.fail(claim, 'no', { fatal: true })
  },
  async release({ inbox }) {
    const claim = held.shift()
    return claim && inbox.release(claim)
  },
  sweep: ({ inbox }) => inbox.sweep(),
  purge: ({ inbox }) => inbox.purge({ olderThan: new Date() }),
}

const reads: Record<string, Verb> = {
  load: ({ hostState }) => hostState.load('k'),
  'load of what is outside': ({ hostState }) => hostState.load('canary'),
  workflow: ({ workflows }) => workflows.load('w'),
  workflows: ({ workflows }) => workflows.list(),
  scan: ({ completions }) => completions.scan(),
  history: ({ completions }) => completions.history('1'),
  'task load': ({ taskFiles }) => taskFiles.load('alpha', 't.md'),
  'task list': ({ taskFiles }) => taskFiles.list(),
  'inbox list': ({ inbox }) => inbox.list(),
  counts: ({ inbox }) => inbox.counts(),
}

const met: Wandered = { operations: 0, through: 0, leaked: [], untyped: [] }
const dice = createDice(Number(seed))
const verbs = Object.entries(role === 'writer' ? writes : reads)
const backend = await open()
for (let n = 1; n <= Number(count); n += 1) {
  const [name, verb] = dice.pick(verbs)
  met.operations += 1
  try {
    const answer = JSON.stringify((await verb(backend, n)) ?? null)
    met.through += 1
    if (answer.includes(canary)) met.leaked.push(`${name}: ${answer.slice(0, 200)}`)
  } catch (error) {
    if (!isStoreError(error)) met.untyped.push(`${name}: ${error instanceof Error ? error.stack : error}`)
  }
}
process.stdout.write(`${JSON.stringify(met)}\n`)
