import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { isAlive, until, useRuns } from './harness.ts'

const runs = useRuns()

async function supervisorOf(runner: ReturnType<typeof runs.open>, attempt: string): Promise<number> {
  const state = await runner.observe(attempt)
  if (state.status !== 'running') throw new Error(`not running: ${JSON.stringify(state)}`)
  return state.supervisorPid
}

test('[RUN] a supervisor whose run is over takes the next one, and ends when its runner is closed', async () => {
  const runner = runs.open()
  const [first, second] = [runs.spec('read -r _'), runs.spec('exec sleep 600')]
  await runner.launch({ ...first, prompt: 'a line\n' })
  expect(await runner.waitForEnd(first.attempt)).toMatchObject({ code: 0, reason: 'exited' })
  await runner.launch(second)
  const supervisor = await supervisorOf(runner, second.attempt)
  const third = runs.spec('exec sleep 600')
  await runner.launch(third)
  expect(await supervisorOf(runner, third.attempt)).not.toBe(supervisor)

  await runner.stop(second.attempt)
  await runner.waitForEnd(second.attempt)
  const fourth = runs.spec('exit 4')
  await runner.launch(fourth)
  expect(await runner.waitForEnd(fourth.attempt)).toMatchObject({ code: 4, reason: 'exited' })
  expect(JSON.parse(await readFile(runner.folder(fourth.attempt).started, 'utf8'))).toMatchObject({ pid: supervisor })
  await runner.close()
  await until('its end', () => !isAlive(supervisor))
})

test('[RUN] one that was killed while it rested takes nothing: the next run has a supervisor of its own', async () => {
  const runner = runs.open()
  const [first, second] = [runs.spec('read -r _; exec sleep 600'), runs.spec('exit 6')]
  await runner.launch({ ...first, prompt: 'a line\n' })
  const supervisor = await supervisorOf(runner, first.attempt)
  await runner.stop(first.attempt)
  await runner.waitForEnd(first.attempt)
  process.kill(supervisor, 'SIGKILL')
  await runner.launch(second)
  expect(await runner.waitForEnd(second.attempt)).toMatchObject({ code: 6, reason: 'exited' })
})
