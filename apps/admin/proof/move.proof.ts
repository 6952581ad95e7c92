import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createIds, type StoreName, silentLogger, storeNames, systemClock } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { expect, test } from 'vitest'
import { Differences } from '../src/move/diff.ts'
import { grounds, jsonOf } from '../test/admin.ts'
import { fillStore } from './records.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const amounts: Readonly<Record<StoreName, number>> = {
  completions: 4_000,
  inbox: 400,
  taskFiles: 200,
  workflows: 80,
  hostState: 4,
}
const kills = 5
const args = ['--from', 'filesystem', '--to', 'postgres', '--drain-timeout', '0']

test('a migrator killed at random moments moves everything there and back', { timeout: 240_000 }, async () => {
  await using ground = await grounds.mixed()
  const env: Record<string, string> = { ...ground.env, NEXUS_INBOX_BACKEND: '', NEXUS_COMPLETION_BACKEND: '' }
  const context = {
    clock: systemClock,
    ids: createIds(systemClock),
    logger: silentLogger,
    liveness: () => 'unknown' as const,
  }
  {
    await using source = await openFsBackend({ root: env['NEXUS_DIR'] ?? '', ...context })
    if (!source.records) throw new Error('no records')
    for (const store of storeNames) await fillStore(source.records, store, amounts[store])
  }
  const moments: number[] = []
  const since = performance.now()
  for (let n = 0; n < kills; n += 1) {
    const child = spawn(process.execPath, [main, 'migrate', 'run', ...args], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: 'ignore',
    })
    const gone = once(child, 'exit')
    const moment = 500 + Math.round(Math.random() * 3_000)
    await Promise.race([delay(moment), gone])
    if (child.kill('SIGKILL')) moments.push(moment)
    await gone
  }
  const run = await ground.admin(['migrate', 'run', ...args], { env })
  expect(run.status, `killed at ${moments.join(', ')} ms\n${run.stderr}`).toBe(0)
  const thereMs = performance.now() - since
  const there = await ground.admin(['migrate', 'verify', ...args.slice(0, 4), '--json'], { env })
  const found = jsonOf(Differences, there)
  expect(found).toMatchObject({ equal: true, differences: [] })
  expect(found.stores.map(({ store, to_records: records }) => [store, records])).toEqual(
    storeNames.map((store) => [store, amounts[store]]),
  )
  const back = await ground.admin(['migrate', 'undo', ...args, '--yes'], { env })
  expect(back.status, back.stderr).toBe(0)
  const again = await ground.admin(['migrate', 'verify', ...args.slice(0, 4), '--json'], { env })
  expect(jsonOf(Differences, again).equal).toBe(true)
  const all = Object.values(amounts).reduce((sum, each) => sum + each, 0)
  process.stdout.write(
    `move: records=${all} kills=${moments.length} at_ms=${moments.join(',')} there_ms=${Math.round(thereMs)}\n`,
  )
  expect(moments.length).toBeGreaterThan(0)
})
