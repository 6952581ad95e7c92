import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createIds, isStoreError, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '../../src/index.ts'
import { observe } from './observe.ts'
import { operationsOf, prepareDrops } from './operations.ts'

/**
 * Works on one root. Reads `go FROM TO [ACKS]` from its input: does those rounds, stops for good after so many
 * acknowledgements. Says `TRY`, `ACK`, `ERR` of each operation, and warnings, to its output, which is on no disk.
 */
const root = process.argv[2] ?? ''

const say = (line: string): void => void writeSync(1, `${line}\n`)

const nameOf = (error: unknown): string => {
  if (isStoreError(error)) return `${error.code} ${error.outcome}`
  return `untyped ${error instanceof Error ? error.stack?.replaceAll('\n', ' ') : error}`
}

const backend = await openFsBackend({
  root,
  clock: systemClock,
  ids: createIds(systemClock),
  logger: { ...silentLogger, warn: (message) => say(`WARN ${message}`) },
  liveness: () => 'unknown',
})

const look = async (): Promise<void> => {
  const said = await observe(backend, root).then(
    () => 'ok',
    (error: unknown) => `${nameOf(error)} ${error instanceof Error ? error.message : ''}`,
  )
  say(`READ ${said}`)
}

const rounds = async (from: number, to: number, mostAcks: number): Promise<void> => {
  let acks = 0
  for (let n = from; n <= to; n += 1) {
    let isBroken = false
    for (const { id, run } of operationsOf(root, n)) {
      // A task that was not claimed cannot go on; all else can.
      if (isBroken && id.includes('inbox.')) continue
      say(`TRY ${id}`)
      try {
        await run(backend)
        say(`ACK ${id}`)
        acks += 1
      } catch (error) {
        isBroken ||= id.includes('inbox.')
        say(`ERR ${id} = ${nameOf(error)}`)
        await look()
      }
      if (acks >= mostAcks) return
    }
  }
}

await prepareDrops(root)
say('READY')
for await (const line of createInterface(process.stdin)) {
  const [, from = '1', to = '1', acks = 'Infinity'] = line.split(' ')
  await rounds(Number(from), Number(to), Number(acks))
  say('END')
}
