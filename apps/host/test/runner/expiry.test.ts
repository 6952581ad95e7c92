import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRunExpiry } from '../../src/runner/expiry.ts'
import { makeFifo, useRuns } from './harness.ts'

const runs = useRuns()
const dayMs = 86_400_000

const expiryIn = (days: number, isNeeded: (attempt: string) => boolean = () => false) => {
  const now = Date.now() + days * dayMs
  const clock = { now: () => now, monotonic: () => 0 }
  return createRunExpiry({ root: runs.root, clock, keepMs: 30 * dayMs, isNeeded: async (name) => isNeeded(name) })
}

/** A folder as it is left by a run that ended, without the run. */
const endedRun = async (attempt: string): Promise<void> => {
  const folder = join(runs.root, 'runs', attempt)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'exit.json'), '{}')
}

test('[RUN] the folder of a run goes when its end is long enough ago, and no earlier', async () => {
  const runner = runs.open()
  const spec = runs.spec('echo hello')
  await runner.launch(spec)
  await runner.waitForEnd(spec.attempt)
  expect(await expiryIn(29.9).step()).toEqual([])
  expect(await runner.list()).toEqual([spec.attempt])
  expect(await expiryIn(30.1).step()).toEqual([spec.attempt])
  expect(await readdir(join(runs.root, 'runs'))).toEqual([])
  expect(await runner.observe(spec.attempt)).toEqual({ status: 'absent' })
})

test('[RUN] what runs stays, however long it does, and so does what somebody may still ask for', async () => {
  const runner = runs.open()
  await makeFifo(join(runs.root, 'go'))
  const running = runs.spec('cat go')
  await runner.launch(running)
  await endedRun('needed')
  await endedRun('old')
  expect(await expiryIn(4_000, (attempt) => attempt === 'needed').step()).toEqual(['old'])
  expect((await runner.list()).sort()).toEqual([running.attempt, 'needed'].sort())
  await writeFile(join(runs.root, 'go'), '')
  await runner.waitForEnd(running.attempt)
})

test('[RUN] a run that was written down and never started goes by the age of its folder', async () => {
  const prepared = runs.open({ supervisorPath: '/no/such/supervisor.js' })
  const spec = runs.spec('true')
  await expect(prepared.launch(spec)).rejects.toThrow('was not started')
  expect(await expiryIn(29).step()).toEqual([])
  expect(await expiryIn(31).step()).toEqual([spec.attempt])
})

test('[RUN] many old runs go some at a time, each call going on where the last one stopped', async () => {
  for (let n = 0; n < 45; n += 1) await endedRun(`old-${n}`)
  const expiry = expiryIn(31)
  const counts = [await expiry.step(), await expiry.step(), await expiry.step(), await expiry.step()]
  expect(counts.map(({ length }) => length)).toEqual([20, 20, 5, 0])
  expect(await readdir(join(runs.root, 'runs'))).toEqual([])
})

test('[RUN] several hosts on one root remove each once', async () => {
  for (let n = 0; n < 15; n += 1) await endedRun(`old-${n}`)
  const removed = await Promise.all([expiryIn(31).step(), expiryIn(31).step(), expiryIn(31).step()])
  expect(removed.flat().sort()).toEqual(Array.from({ length: 15 }, (_, n) => `old-${n}`).sort())
})

test('[RUN] what a removal that was killed left is removed by the next', async () => {
  await endedRun('old')
  await mkdir(join(runs.root, 'runs', '.gone-other'), { recursive: true })
  await writeFile(join(runs.root, 'runs', '.gone-other', 'spec.json'), '{}')
  await utimes(join(runs.root, 'runs', 'old', 'exit.json'), 0, 0)
  expect(await expiryIn(0).step()).toEqual(['old'])
  expect(await readdir(join(runs.root, 'runs'))).toEqual([])
})

test('[RUN] without any runs there is nothing to do', async () => {
  expect(await expiryIn(31).step()).toEqual([])
})
