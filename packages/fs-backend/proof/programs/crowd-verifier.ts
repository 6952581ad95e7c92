import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { createIds, type InboxStore, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '../../src/index.ts'
import { type CrowdRecord, callsOf } from './crowd-log.ts'
import { createTally } from './crowd-tally.ts'
import { judgeClaims } from './judge-claims.ts'
import { judgeRecords } from './judge-records.ts'
import { allOf } from './observe.ts'

/** When everybody is dead: waits the leases out, works off what is left, and holds all against what was acknowledged. */
const record = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as CrowdRecord
const tally = createTally(
  'lost',
  'dup',
  'torn',
  'order',
  'accepted',
  'stolen',
  'errors',
  'stale',
  'refused',
  'overtaken',
  'resumed',
)

const workOff = async (inbox: InboxStore): Promise<void> => {
  await inbox.sweep()
  await setTimeout(record.leaseMs + 50)
  await inbox.sweep()
  for (let claimed = -1; claimed !== 0; ) {
    const tasks = await inbox.claim({ worker: 'verifier', leaseMs: 3_600_000, limit: 100 })
    for (const { id, claim } of tasks)
      if ((await inbox.complete(claim)).status !== 'done') tally.fault('lost', `${id} cannot be completed`)
    claimed = tasks.length
  }
}

const backend = await openFsBackend({
  root: record.root,
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown',
})
const calls = record.members.flatMap(callsOf)
tally.count('acked', calls.filter(({ answer }) => answer !== undefined).length)
tally.count('cut', calls.filter(({ answer, error }) => answer === undefined && error === undefined).length)
for (const { op, by, n, error } of calls) if (error) tally.fault('errors', `${op} by ${by} ${n}: ${error}`)
await workOff(backend.inbox)
const { items, corrupt } = await allOf((request) => backend.inbox.list(request))
for (const place of corrupt) tally.fault('torn', place)
judgeClaims(record, items, tally)
await judgeRecords(record, backend, tally)
process.stderr.write(tally.faults.map((line) => `${line}\n`).join(''))
process.stdout.write(`${JSON.stringify(tally.figures)}\n`)
