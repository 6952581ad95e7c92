import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Runner } from '../../src/runner/index.ts'
import { isAlive, processesNaming, until, useRuns } from './harness.ts'

const runs = useRuns()

const pidIn = (name: string) =>
  until(`${name} holds a pid`, async () => Number(await readFile(join(runs.root, name), 'utf8').catch(() => '')))

const goneFor = (pid: number) => until(`process ${pid} is gone`, () => !isAlive(pid))

/** A shell that ignores SIGTERM and says so with its pid; `&` makes it a grandchild. */
const stubborn = (name: string) => `sh -c 'trap "" TERM; echo $$ > ${name}; while :; do sleep 600; done'`

async function running(runner: Runner, attempt: string) {
  const state = await runner.observe(attempt)
  if (state.status !== 'running') throw new Error(`not running: ${state.status}`)
  return state
}

test('[RUN] what an agent leaves running ends with it, also when it ignores SIGTERM', async () => {
  const runner = runs.open()
  const spec = runs.spec(`${stubborn('left')} & while [ ! -s left ]; do sleep 0.01; done; exit 4`)
  await runner.launch(spec)
  const left = await pidIn('left')
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: 4, reason: 'exited' })
  await goneFor(left)
})

test('[RUN] what an agent put into sessions of their own ends with it, also when it ignores SIGTERM', async () => {
  const runner = runs.open()
  const apart = (name: string) => `setsid ${stubborn(name)} & while [ ! -s ${name} ]; do sleep 0.01; done`
  // An environment longer than is read at once, with the mark at its end.
  const env = { PATH: process.env['PATH'] ?? '', LONG: 'x'.repeat(100_000) }
  const spec = runs.spec(`${apart('one')}; ${apart('two')}; exit 4`, { env })
  await runner.launch(spec)
  const pids = [await pidIn('one'), await pidIn('two')]
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: 4, reason: 'exited' })
  for (const pid of pids) await goneFor(pid)
})

test('[RUN] a hang ends by its timeout, with SIGTERM, then SIGKILL, also for a child in a session of its own', async () => {
  const runner = runs.open()
  const spec = runs.spec(`trap "" TERM; setsid ${stubborn('apart')} & while :; do sleep 600 & wait; done`, {
    timeoutMs: 1_000,
  })
  await runner.launch(spec)
  const apart = await pidIn('apart')
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: null, signal: 'SIGKILL', reason: 'timeout' })
  await goneFor(apart)
})

test('[RUN] processes of another run, and of nobody, are left alone', async () => {
  const runner = runs.open()
  const other = runs.spec(`setsid ${stubborn('other')} & wait`)
  await runner.launch(other)
  const pid = await pidIn('other')
  const spec = runs.spec('exit 0')
  await runner.launch(spec)
  await runner.waitForEnd(spec.attempt)
  expect(isAlive(pid)).toBe(true)
})

test('[RUN] stop ends the whole group, SIGTERM first: an agent that listens ends in order', async () => {
  const runner = runs.open({ graceMs: 20_000, pollMs: 20_000 })
  const spec = runs.spec('trap "echo bye; exit 0" TERM; echo $$ > up; while :; do sleep 600 & wait; done')
  await runner.launch(spec)
  await pidIn('up')
  await runner.stop(spec.attempt)
  await runner.stop(spec.attempt)
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: 0, reason: 'stopped' })
  expect(await runs.output(runner, spec.attempt)).toBe('bye\n')
})

test('[RUN] stop ends an agent that ignores SIGTERM and its grandchild, after the grace', async () => {
  const runner = runs.open()
  const spec = runs.spec(`trap "" TERM; ${stubborn('below')} & echo $$ > above; wait`)
  await runner.launch(spec)
  const pids = [await pidIn('above'), await pidIn('below')]
  await runner.stop(spec.attempt)
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: null, signal: 'SIGKILL', reason: 'stopped' })
  for (const pid of pids) await goneFor(pid)
})

test('[RUN] a suspended agent is ended too', async () => {
  const runner = runs.open({ graceMs: 20_000 })
  const spec = runs.spec('echo $$ > up; kill -STOP $$')
  await runner.launch(spec)
  await pidIn('up')
  await runner.stop(spec.attempt)
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ signal: 'SIGTERM', reason: 'stopped' })
})

test('[RUN] a stop file that a person made by hand is enough', async () => {
  const runner = runs.open()
  const spec = runs.spec('sleep 600')
  await runner.launch(spec)
  await writeFile(runner.folder(spec.attempt).stop, '')
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ reason: 'stopped' })
})

test('[RUN] an agent that takes too long is ended: timeout', async () => {
  const runner = runs.open()
  const spec = runs.spec('sleep 600', { timeoutMs: 200 })
  await runner.launch(spec)
  const exit = await runner.waitForEnd(spec.attempt)
  expect(exit).toMatchObject({ signal: 'SIGTERM', reason: 'timeout', message: 'still running after 200 ms' })
})

test('[RUN] an agent whose lease nobody renews is ended: lease-expired', async () => {
  const runner = runs.open({ leaseMs: 300 })
  const spec = runs.spec(`${stubborn('below')} & wait`)
  await runner.launch(spec)
  const below = await pidIn('below')
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ reason: 'lease-expired' })
  await goneFor(below)
})

test('[RUN] an agent whose lease is renewed outlives many lease times', async () => {
  const runner = runs.open({ leaseMs: 1_000 })
  const spec = runs.spec('sleep 3; exit 5')
  await runner.launch(spec)
  const renewal = setInterval(() => void runner.renew([spec.attempt]), 100)
  const exit = await runner.waitForEnd(spec.attempt).finally(() => clearInterval(renewal))
  expect(exit).toMatchObject({ code: 5, reason: 'exited' })
  expect(await runner.renew([spec.attempt, 'unknown'])).toEqual({ renewed: [spec.attempt], missing: ['unknown'] })
})

test('[RUN] SIGTERM to the supervisor ends the group and is recorded', async () => {
  const runner = runs.open()
  const spec = runs.spec(`${stubborn('below')} & wait`)
  await runner.launch(spec)
  const below = await pidIn('below')
  process.kill((await running(runner, spec.attempt)).supervisorPid, 'SIGTERM')
  const exit = await runner.waitForEnd(spec.attempt)
  expect(exit).toMatchObject({ reason: 'stopped', message: 'the supervisor received SIGTERM' })
  await goneFor(below)
})

test('[RUN] a prepared run that is stopped never starts', async () => {
  const prepared = runs.open({ supervisorPath: '/no/such/supervisor.js' })
  const spec = runs.spec('echo started > ran')
  await expect(prepared.launch(spec)).rejects.toThrow('was not started')
  await prepared.stop(spec.attempt)
  expect(await prepared.observe(spec.attempt)).toMatchObject({ status: 'ended', exit: { reason: 'stopped' } })
  expect(await runs.open().launch(spec)).toMatchObject({ status: 'ended', exit: { reason: 'stopped' } })
  await expect(readFile(join(runs.root, 'ran'))).rejects.toThrow('ENOENT')
})

test('[RUN] no supervisor and no zombie stays behind', async () => {
  const runner = runs.open()
  const spec = runs.spec('(exit 1) & (exit 2) & exit 0')
  await runner.launch(spec)
  await runner.waitForEnd(spec.attempt)
  await until('its supervisor ends', async () => (await processesNaming(spec.attempt)).length === 0)
})
