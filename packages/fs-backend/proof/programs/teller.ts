import { createInterface } from 'node:readline'
import { createIds, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '../../src/index.ts'

/** A process with a clock of its own: does one thing per line of input and tells the answer. */
const root = process.argv[2] ?? ''
const worker = process.argv[3] ?? ''
const { inbox, completions } = await openFsBackend({
  root,
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown',
})

const leaseMs = 30_000

const verbs: Record<string, (word: string) => Promise<unknown>> = {
  now: async () => new Date().toISOString(),
  enqueue: (filename) =>
    inbox.enqueue([{ project: 'alpha', filename, markdown: '# Task\n', runAt: new Date('2020-01-01') }]),
  claim: async () =>
    (await inbox.claim({ worker, limit: 1, leaseMs })).map(({ filename, claim }) => ({ filename, claim })),
  heartbeat: async (claim) => inbox.heartbeat([JSON.parse(claim)]),
  complete: async (claim) => inbox.complete(JSON.parse(claim)),
  sweep: () => inbox.sweep(),
  save: (summary) =>
    completions.save({
      project: 'alpha',
      issueNumber: '1',
      agentType: summary,
      status: 'complete',
      summary,
      payload: { summary },
      reportId: summary,
    }),
  history: async () => (await completions.history('1')).items.map(({ summary }) => summary),
  latest: async () => (await completions.scan()).items.map(({ summary }) => summary),
}

const tell = (answer: unknown): void => void process.stdout.write(`${JSON.stringify(answer)}\n`)

tell('ready')
for await (const line of createInterface(process.stdin)) {
  const [verb = '', ...words] = line.split(' ')
  tell(await verbs[verb]?.(words.join(' ')))
}
