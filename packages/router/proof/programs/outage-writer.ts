import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { type Backend, createIds, isStoreError, systemClock } from '@nexus/core'
import { openHost } from '../host.ts'

/**
 * Writes one operation after the other until it is told to end, and says of each that it was acknowledged. Then it waits
 * until nothing of an outage is left.
 */
const [dsn = '', root = '', name = '', bug = ''] = process.argv.slice(2)
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

type Replay = NonNullable<Backend['operations']>['replay']

const ids = createIds(systemClock)

/** Planted bugs: what stands between the router and the backend's replay. */
const bugs: Record<string, (replay: Replay) => Replay> = {
  /** Each try is another operation: what a kill cut off is applied again. */
  forgetful: (replay) => (all, options) =>
    replay(
      all.map((one) => ({ ...one, operation: { ...one.operation, id: ids.next() } })),
      options,
    ),
  /** Passes over the last of several. */
  lossy: (replay) => async (all, options) => [
    ...(await replay(all.length > 1 ? all.slice(0, -1) : all, options)),
    { status: 'applied' },
  ],
}

const around = (backend: Backend): Backend => {
  const { operations } = backend
  const planted = bugs[bug]
  return operations && planted
    ? { ...backend, operations: { ...operations, replay: planted(operations.replay) } }
    : backend
}

const completion = (marker: string) => ({
  project: 'shop',
  issueNumber: name,
  agentType: 'developer',
  status: 'complete' as const,
  summary: 'done',
  payload: { said: marker },
  reportId: marker,
})

type Kind = readonly [where: string, write: (host: Backend, marker: string) => Promise<{ status: string }>]

const kinds: readonly Kind[] = [
  [`own-${name}`, ({ hostState }, marker) => hostState.save(`own-${name}`, { said: marker })],
  [`own-${name}`, ({ hostState }, marker) => hostState.patch(`own-${name}`, { entries: { said: marker } })],
  [`${name}:developer:complete`, ({ completions }, marker) => completions.save(completion(marker))],
  ['shared', ({ hostState }, marker) => hostState.patch('shared', { entries: { [name]: marker } })],
  ['contested', ({ hostState }, marker) => hostState.patch('contested', { entries: { all: marker } })],
]

let isOver = false
const commands = createInterface(process.stdin)
commands.on('line', () => {
  isOver = true
})

await using host = await openHost({ dsn, root, maxConnections: 3, around })
// What was not seen before the outage cannot be patched in it.
for (const key of ['shared', 'contested']) await host.hostState.load(key).catch(() => null)
say('READY')
for (let n = 0; !isOver; n++) {
  const marker = `op-${name}-${n}-`
  const [where, write] = kinds[n % kinds.length] ?? ['', () => Promise.reject(new Error('no kind'))]
  try {
    const { status } = await write(host, marker)
    if (status !== 'conflict') say(`ACK ${marker} ${where}`)
  } catch (error) {
    if (!isStoreError(error, 'unavailable')) throw error
    say(`REFUSED ${marker}`)
  }
  await delay(3)
}
while ((await host.hostState.load('shared').catch(() => ({ stale: true })))?.stale) await delay(20)
say('DONE')
commands.close()
