import { randomUUID } from 'node:crypto'
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { signatureOf } from '../../src/runner/file-watch.ts'
import { agentEnvironment, type Runner } from '../../src/runner/index.ts'
import { isAlive, makeFifo, processesNaming, until, useRuns } from './harness.ts'

const runs = useRuns()

async function running(runner: Runner, attempt: string) {
  const state = await runner.observe(attempt)
  if (state.status !== 'running' || state.pid === null) throw new Error(`not running: ${JSON.stringify(state)}`)
  return { agent: state.pid, supervisor: state.supervisorPid }
}

test('[RUN] kill -9 of the host and of its whole process group leaves the agent running; the next host adopts it', async () => {
  await makeFifo(join(runs.root, 'go'))
  const spec = runs.spec('echo started; cat go >/dev/null; echo done; exit 6')
  const host = await runs.launcher(spec)
  host.process.stdin.write('go\n')
  const launched = JSON.parse(await host.nextLine())
  expect(launched).toMatchObject({ status: 'running' })
  process.kill(-(host.process.pid ?? 0), 'SIGKILL')
  await until('the host is dead', () => host.process.signalCode === 'SIGKILL')

  const next = runs.open()
  expect(await next.observe(spec.attempt)).toEqual(launched)
  expect(await next.launch(spec)).toEqual(launched)
  await writeFile(join(runs.root, 'go'), '')
  expect(await next.waitForEnd(spec.attempt)).toMatchObject({ code: 6, reason: 'exited' })
  expect(await runs.output(next, spec.attempt)).toBe('started\ndone\n')
})

test('[RUN] an agent that ends while no host is there is found ended by the next one', async () => {
  await makeFifo(join(runs.root, 'go'))
  const spec = runs.spec('cat go >/dev/null; exit 6')
  const host = await runs.launcher(spec)
  host.process.stdin.write('go\n')
  await host.nextLine()
  host.process.kill('SIGKILL')
  await writeFile(join(runs.root, 'go'), '')
  await until('its supervisor ends', async () => (await processesNaming(join('runs', spec.attempt))).length === 0)
  const next = runs.open()
  expect(await next.observe(spec.attempt)).toMatchObject({ status: 'ended', exit: { code: 6 } })
  const heard: string[] = []
  next.onEnded((attempt) => heard.push(attempt))
  next.follow(spec.attempt)
  await until('a followed end is told', () => heard.length > 0)
})

test('[RUN] kill -9 of a host at every moment of its launch: the attempt starts once, or not until the next launch', async () => {
  for (let round = 0; round < 8; round++) {
    const spec = runs.spec(`echo started >> started-${round}`)
    const host = await runs.launcher(spec)
    host.process.stdin.write('go\n')
    // Each round looks for a later trace of the launch and kills there.
    const traces = ['', 'prompt.md', 'lease', 'spec.json', 'started', 'agent', 'output.log', 'exit.json']
    const folder = join(runs.root, 'runs', spec.attempt)
    await until(
      'the trace',
      async () =>
        (await readdir(folder).catch(() => null))?.some((name) => name.startsWith(traces[round] ?? '')) ?? round === 0,
    )
    host.process.kill('SIGKILL')
    await until('the host is dead', () => host.process.signalCode === 'SIGKILL')
    const next = runs.open()
    await next.launch(spec)
    expect(await next.waitForEnd(spec.attempt)).toMatchObject({ code: 0, reason: 'exited' })
    await until('all supervisors end', async () => (await processesNaming(join('runs', spec.attempt))).length === 0)
    expect(await readFile(join(runs.root, `started-${round}`), 'utf8')).toBe('started\n')
  }
})

test('[RUN] eight processes that launch one attempt at once start it once', async () => {
  const spec = runs.spec('echo started >> starts; cat go >/dev/null')
  await makeFifo(join(runs.root, 'go'))
  const hosts = await Promise.all(Array.from({ length: 8 }, () => runs.launcher(spec)))
  for (const host of hosts) host.process.stdin.write('go\n')
  const states = await Promise.all(hosts.map(async (host) => JSON.parse(await host.nextLine())))
  expect(new Set(states.map((state) => state.status))).toEqual(new Set(['running']))
  expect(new Set(states.map((state) => state.supervisorPid)).size).toBe(1)
  for (const host of hosts) host.process.kill('SIGKILL')
  await until(
    'only one supervisor is left',
    async () => (await processesNaming(join('runs', spec.attempt))).length === 1,
  )
  await writeFile(join(runs.root, 'go'), '')
  expect(await runs.open().waitForEnd(spec.attempt)).toMatchObject({ code: 0 })
  expect(await readFile(join(runs.root, 'starts'), 'utf8')).toBe('started\n')
})

test('[RUN] kill -9 of the supervisor: observers end the agent and agree on supervisor-lost', async () => {
  const [one, two] = [runs.open(), runs.open()]
  const spec = runs.spec(`sh -c 'trap "" TERM; echo $$ > below; while :; do sleep 600; done' & wait`)
  await one.launch(spec)
  const below = await until('below', async () =>
    Number(await readFile(join(runs.root, 'below'), 'utf8').catch(() => '')),
  )
  const { agent, supervisor } = await running(one, spec.attempt)
  const told = one.waitForEnd(spec.attempt)
  process.kill(supervisor, 'SIGKILL')
  const exits = await Promise.all([told, two.waitForEnd(spec.attempt)])
  expect(exits[0]).toMatchObject({ code: null, signal: null, reason: 'supervisor-lost' })
  expect(exits[1]).toEqual(exits[0])
  await until('the agent and its child are gone', () => !isAlive(agent) && !isAlive(below))
  expect(await one.launch(spec)).toEqual({ status: 'ended', exit: exits[0] })
})

test('[RUN] a supervisor killed before it wrote the agent down: the agent is found by its mark and ended', async () => {
  const runner = runs.open({ pollMs: 20_000 })
  const spec = runs.spec('sleep 600')
  await runner.launch(spec)
  const { agent, supervisor } = await running(runner, spec.attempt)
  await rm(runner.folder(spec.attempt).agent)
  process.kill(supervisor, 'SIGKILL')
  await until('the supervisor is gone', () => !isAlive(supervisor))
  expect(await runner.observe(spec.attempt)).toMatchObject({ status: 'ended', exit: { reason: 'supervisor-lost' } })
  await until('the agent is gone', () => !isAlive(agent))
})

test('[RUN] a process that only has the pid of a lost run’s agent is left alone', async () => {
  const runner = runs.open({ pollMs: 20_000 })
  const [lost, other] = [runs.spec('sleep 600'), runs.spec('sleep 600')]
  await runner.launch(lost)
  await runner.launch(other)
  const { agent, supervisor } = await running(runner, lost.attempt)
  const bystander = (await running(runner, other.attempt)).agent
  await writeFile(runner.folder(lost.attempt).agent, JSON.stringify({ pid: bystander, startTime: '1' }))
  process.kill(supervisor, 'SIGKILL')
  await until('the supervisor is gone', () => !isAlive(supervisor))
  await runner.observe(lost.attempt)
  expect(isAlive(agent)).toBe(false)
  expect(isAlive(bystander)).toBe(true)
})

test('[RUN] a supervisor of another pid namespace runs on while it shows life, and is given up after two silent leases', async () => {
  let now = 0
  const clock = { now: () => Date.now(), monotonic: () => now }
  const runner = runs.open({ leaseMs: 1_000, supervisorPath: '/no/such/supervisor.js', clock })
  const spec = runs.spec('true')
  await expect(runner.launch(spec)).rejects.toThrow('was not started')
  const { started } = runner.folder(spec.attempt)
  const elsewhere = {
    hostId: 'other~000000000000~1',
    bootId: null,
    pid: process.pid,
    startTime: '1',
    startedAt: new Date().toISOString(),
  }
  await writeFile(started, JSON.stringify(elsewhere))
  expect(await runner.observe(spec.attempt)).toMatchObject({ status: 'running' })
  now += 2_000
  expect(await runner.observe(spec.attempt)).toMatchObject({ status: 'running' })
  await appendFile(started, '\n')
  now += 1
  expect(await runner.observe(spec.attempt)).toMatchObject({ status: 'running' })
  now += 2_001
  expect(await runner.observe(spec.attempt)).toMatchObject({ status: 'ended', exit: { reason: 'supervisor-lost' } })
})

test('[RUN] a supervisor shows again and again that it lives', async () => {
  const runner = runs.open({ leaseMs: 400 })
  const spec = runs.spec('sleep 600')
  await runner.launch(spec)
  const renewal = setInterval(() => void runner.renew([spec.attempt]), 50)
  const { started } = runner.folder(spec.attempt)
  const signs = new Set<string | null>()
  await until('three signs', () => signs.add(signatureOf(started)).size > 2).finally(() => clearInterval(renewal))
})

test('[RUN] a supervisor suspended for longer than the lease leaves its host the time to renew', async () => {
  const runner = runs.open({ leaseMs: 1_000 })
  const spec = runs.spec('sleep 2; touch slept; cat go >/dev/null')
  await makeFifo(join(runs.root, 'go'))
  await runner.launch(spec)
  const { agent, supervisor } = await running(runner, spec.attempt)
  const { started } = runner.folder(spec.attempt)
  const looksAgain = async () => {
    const before = signatureOf(started)
    await until('the supervisor looks', () => signatureOf(started) !== before)
  }
  await looksAgain()
  process.kill(supervisor, 'SIGSTOP')
  await until('longer than the lease', async () => (await readdir(runs.root)).includes('slept'))
  // The first look after the pause comes before the first renewal.
  const looked = looksAgain()
  process.kill(supervisor, 'SIGCONT')
  await looked
  await runner.renew([spec.attempt])
  expect(isAlive(agent)).toBe(true)
  await writeFile(join(runs.root, 'go'), '')
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: 0, reason: 'exited' })
})

test('[RUN] a supervisor that finds its run given up ends its agent', async () => {
  const runner = runs.open()
  const spec = runs.spec('sleep 600')
  await runner.launch(spec)
  const { agent, supervisor } = await running(runner, spec.attempt)
  const givenUp = { code: null, signal: null, reason: 'supervisor-lost', endedAt: new Date().toISOString() }
  await writeFile(runner.folder(spec.attempt).exit, JSON.stringify(givenUp))
  await until('the agent is gone', () => !isAlive(agent))
  await until('its supervisor is gone', () => !isAlive(supervisor))
})

test('[RUN] the storage DSN reaches neither the agent nor its supervisor nor the run folder', async () => {
  const canary = `canary-${randomUUID()}`
  const dsn = `postgresql://nexus:${canary}@localhost/nexus`
  const hostEnv = {
    ...process.env,
    NEXUS_STORAGE_DSN: dsn,
    NEXUS_STORAGE_LISTEN_DSN: dsn,
    PGPASSWORD: canary,
    MY_DATABASE: dsn,
    OTHER: canary,
  }
  const env = agentEnvironment(hostEnv, { NEXUS_STEP: 'one' }, ['NEXUS_STORAGE_DSN', 'PGPASSWORD', 'MY_DATABASE'])
  const spec = runs.spec('env; cat /proc/$PPID/environ; cat go >/dev/null', { env })
  await makeFifo(join(runs.root, 'go'))
  const host = await runs.launcher(spec, {}, hostEnv)
  host.process.stdin.write('go\n')
  await host.nextLine()
  const runner = runs.open()
  await writeFile(join(runs.root, 'go'), '')
  await runner.waitForEnd(spec.attempt)
  const { folder } = runner.folder(spec.attempt)
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))
  expect(texts.join('\n')).toContain('NEXUS_STEP=one')
  expect(texts.join('\n')).toContain(`NEXUS_ATTEMPT=${spec.attempt}`)
  expect(texts.join('\n')).not.toContain(canary)
})
