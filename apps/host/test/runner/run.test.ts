import { existsSync } from 'node:fs'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFifo, until, useRuns } from './harness.ts'

const runs = useRuns()

test('[RUN] an agent gets its prompt, working folder and environment; output and exit code are recorded', async () => {
  const runner = runs.open()
  const spec = runs.spec('cat; pwd; echo "$GREETING"; echo to-stderr >&2; exit 7', {
    prompt: 'do this\n',
    env: { PATH: process.env['PATH'] ?? '', GREETING: 'hello world' },
  })
  expect(await runner.observe(spec.attempt)).toEqual({ status: 'absent' })
  await runner.launch(spec)
  const exit = await runner.waitForEnd(spec.attempt)
  expect(exit).toMatchObject({ code: 7, signal: null, reason: 'exited' })
  expect(await runs.output(runner, spec.attempt)).toBe(`do this\n${runs.root}\nhello world\nto-stderr\n`)
  expect(await runner.observe(spec.attempt)).toEqual({ status: 'ended', exit })
})

test('[RUN] an argument vector reaches the agent as it is, and no prompt means an empty input', async () => {
  const runner = runs.open()
  const spec = runs.spec(
    [process.execPath, '-e', 'process.stdin.pipe(process.stdout); console.log(process.argv[1])', '$HOME "x y"'],
    {
      prompt: 'unseen',
      promptForm: 'none',
    },
  )
  await runner.launch(spec)
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: 0 })
  expect(await runs.output(runner, spec.attempt)).toBe('$HOME "x y"\n')
})

test('[RUN] an agent that a signal ended has no exit code', async () => {
  const runner = runs.open()
  const spec = runs.spec('kill -SEGV $$')
  await runner.launch(spec)
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: null, signal: 'SIGSEGV', reason: 'exited' })
})

test.each([
  ['a missing command', ['no-such-program'], {}, 'command not found: no-such-program'],
  ['a command that is no program', ['./notes'], {}, 'command not executable: ./notes'],
  [
    'a missing working folder',
    ['true'],
    { cwd: '/no/such/folder' },
    'the working folder does not exist: /no/such/folder',
  ],
  ['an empty command', [], {}, 'the command is empty'],
  ['a NUL in an argument', ['echo', 'a\0b'], {}, 'cannot start echo'],
] as const)('[RUN] %s is a spawn failure that says so', async (_, command, more, message) => {
  await writeFile(join(runs.root, 'notes'), 'no program', { mode: 0o600 })
  const runner = runs.open()
  const spec = runs.spec(command, more)
  const state = await runner.launch(spec)
  expect(state).toMatchObject({ status: 'ended', exit: { code: null, signal: null, reason: 'spawn-failed' } })
  expect(state.status === 'ended' && state.exit.message).toContain(message)
})

test('[RUN] launching an attempt again changes nothing, running or ended', async () => {
  const runner = runs.open()
  const spec = runs.spec('echo started; cat go >/dev/null; exit 3')
  await makeFifo(join(runs.root, 'go'))
  const first = await runner.launch(spec)
  expect(first).toMatchObject({ status: 'running' })
  expect(await runner.launch({ ...spec, command: 'echo other' })).toEqual(first)
  await writeFile(join(runs.root, 'go'), '')
  await runner.waitForEnd(spec.attempt)
  expect(await runner.launch(spec)).toMatchObject({ status: 'ended', exit: { code: 3 } })
  expect(await runs.output(runner, spec.attempt)).toBe('started\n')
})

test('[RUN] listeners hear of an end once and at once, not at the next poll', async () => {
  const runner = runs.open({ pollMs: 20_000 })
  const spec = runs.spec('cat go >/dev/null')
  await makeFifo(join(runs.root, 'go'))
  const heard: string[] = []
  runner.onEnded((attempt, exit) => heard.push(`${attempt} ${exit.reason}`))
  await runner.launch(spec)
  await writeFile(join(runs.root, 'go'), '')
  await until('the end is heard', () => heard.length > 0, 5_000)
  await runner.waitForEnd(spec.attempt)
  expect(heard).toEqual([`${spec.attempt} exited`])
})

test('[RUN] the files of a run are the owner’s alone', async () => {
  const runner = runs.open()
  const spec = runs.spec('true')
  await runner.launch(spec)
  await runner.waitForEnd(spec.attempt)
  const { folder, ...files } = runner.folder(spec.attempt)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  for (const file of [files.spec, files.prompt, files.started, files.agent, files.output, files.exit, files.lease]) {
    expect((await stat(file)).mode & 0o777, file).toBe(0o600)
  }
})

test('[RUN] an agent sees its whole environment, of which no file keeps a secret', async () => {
  const runner = runs.open()
  const spec = runs.spec('test "$SOME_API_KEY" && test "$NEXUS_COMPLETION_TOKEN"', {
    env: {
      PATH: process.env['PATH'] ?? '',
      SOME_API_KEY: 'canary-key',
      NEXUS_COMPLETION_TOKEN: 'canary-token',
      NEXUS_PROJECT: 'shop',
    },
  })
  await runner.launch(spec)
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: 0 })
  const { folder, spec: file } = runner.folder(spec.attempt)
  for (const name of await readdir(folder))
    expect(await readFile(join(folder, name), 'utf8'), name).not.toMatch(/canary/)
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ env: { NEXUS_PROJECT: 'shop' } })
})

test('[RUN] a run that was written down and never started finds its environment at the next launch, or loses it with its end', async () => {
  const [spec, other] = [runs.spec('test "$PATH" && exit 4'), runs.spec('true')]
  const refused = runs.open({ supervisorPath: '/no/such/supervisor.js' })
  for (const one of [spec, other]) await expect(refused.launch(one)).rejects.toThrow('was not started')
  const { environment } = refused.folder(spec.attempt)
  expect((await stat(environment)).mode & 0o777).toBe(0o600)
  await rm(environment)
  const runner = runs.open()
  await runner.launch(spec)
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: 4 })
  await runner.stop(other.attempt)
  for (const { attempt } of [spec, other]) expect(existsSync(runner.folder(attempt).environment)).toBe(false)
})

test.each(['', '.', '..', '../x', 'a/b', '.hidden', 'a\0', 'x'.repeat(129)])(
  '[RUN] %j is no attempt id',
  async (attempt) => {
    await expect(runs.open().launch({ ...runs.spec('true'), attempt })).rejects.toThrow(RangeError)
  },
)

test('[RUN] a wait ends with its signal and with its runner; the run goes on', async () => {
  const runner = runs.open()
  const spec = runs.spec('sleep 600')
  await runner.launch(spec)
  const controller = new AbortController()
  const aborted = runner.waitForEnd(spec.attempt, controller.signal)
  controller.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  const closed = runner.waitForEnd(spec.attempt)
  const refused = expect(closed).rejects.toThrow('the runner is closed')
  await runner.close()
  await refused
  expect(await runs.open().observe(spec.attempt)).toMatchObject({ status: 'running' })
})

test('[RUN] a supervisor that cannot start is an error of the launch, and nothing has run', async () => {
  const runner = runs.open({ supervisorPath: '/no/such/supervisor.js' })
  const spec = runs.spec('true')
  await expect(runner.launch(spec)).rejects.toThrow(/was not started: its supervisor ended with code 1/)
  expect(await runner.observe(spec.attempt)).toEqual({ status: 'prepared' })
  expect(await runs.open().launch(spec)).not.toMatchObject({ status: 'prepared' })
})
