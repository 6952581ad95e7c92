import { writeSync } from 'node:fs'
import { createIds, isStoreError, silentLogger, systemClock } from '@nexus/core'
import { currentProcess, formatIdentity, holderLiveness } from '../../../../apps/host/src/runner/process-identity.ts'
import { openFsBackend } from '../../src/index.ts'
import { type Said, sharedNow } from './crowd-log.ts'
import { createDice } from './dice.ts'
import { inboxActs } from './member-inbox.ts'
import { recordActs } from './member-records.ts'

/** Does random calls on all stores of one root, until it is killed. Says each before and after it, on no disk. */
const [, , root = '', name = '', seed = '', lease = ''] = process.argv

const say = (line: Said): void => void writeSync(1, `${JSON.stringify(line)}\n`)

// Whatever becomes of whoever started it: nobody is left behind.
process.stdin.on('end', () => process.exit(0)).resume()

const backend = await openFsBackend({
  root,
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: (worker) => holderLiveness(worker),
})
const dice = createDice(Number(seed))
const worker = formatIdentity(currentProcess())
const parts = { inbox: backend.inbox, name, worker, leaseMs: Number(lease), dice }
const acts = [...recordActs(backend, name, dice), ...inboxActs(parts)]
const lots = acts.flatMap(([weight, make]) => Array.from({ length: weight }, () => make))

const wordsOf = (error: unknown): string => {
  if (isStoreError(error)) return `${error.code} ${error.outcome}: ${error.message}`
  return `untyped ${error instanceof Error ? error.stack : error}`
}

say({ kind: 'ready', at: sharedNow() })
for (let n = 1; ; n += 1) {
  const act = dice.pick(lots)(n)
  if (!act) continue
  const { op, about } = act
  say({ kind: 'try', n, at: sharedNow(), op, about })
  try {
    const answer = await act.run()
    say({ kind: 'ack', n, at: sharedNow(), answer })
  } catch (error) {
    say({ kind: 'err', n, at: sharedNow(), error: wordsOf(error) })
  }
}
