import { createIds, silentLogger, systemClock } from '@nexus/core'
import { openPgBackend } from '../../src/backend.ts'

const [dsn = '', worker = '', mode = ''] = process.argv.slice(2)
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

await using backend = await openPgBackend({
  dsn,
  maxConnections: 2,
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown',
})
const { inbox } = backend
const request = { worker, leaseMs: 60_000 }

/** Claims three tasks and holds them for ever. */
const hold = async (): Promise<void> => {
  for (const { id, claim } of await inbox.claim({ ...request, limit: 3 })) {
    await inbox.bind(claim, { issueNumber: `${id}` })
    say(`held ${id}`)
  }
  say('holding')
  await new Promise(() => setInterval(() => {}, 1000))
}

/** Works until there is nothing left to claim. */
const drain = async (): Promise<void> => {
  for (;;) {
    const claimed = await inbox.claim({ ...request, limit: 5 })
    if (claimed.length === 0) return
    for (const { id, claim } of claimed)
      say(`${(await inbox.complete(claim)).status === 'done' ? 'done' : 'lost'} ${id}`)
  }
}

await (mode === 'hold' ? hold() : drain())
