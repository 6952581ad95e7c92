import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger, systemClock } from '@nexus/core'
import { advance, toData } from '@nexus/engine'
import { expect, test } from 'vitest'
import { documentOf, stepOf, workflowOf } from '../../../packages/engine/test/stage.ts'
import { openStores } from '../../host/proof/stores.ts'
import { createRunner, type Runner } from '../../host/src/runner/index.ts'
import { AgentLogLine } from '../src/act/agent-commands.ts'
import { AgentList } from '../src/act/agents.ts'
import { BulkResult } from '../src/act/bulk.ts'
import { type Ground, grounds, jsonOf } from './admin.ts'

/** As a host of this root has it; ends what a test left running. */
const openRunner = ({ env }: Ground) => {
  const supervisorPath = join(import.meta.dirname, '../../host/dist/supervisor.js')
  const paces = { leaseMs: 60_000, graceMs: 300, pollMs: 50 }
  const runner = createRunner({
    root: env['NEXUS_DIR'] ?? '',
    supervisorPath,
    clock: systemClock,
    logger: silentLogger,
    ...paces,
  })
  return {
    runner,
    async [Symbol.asyncDispose]() {
      for (const attempt of await runner.list()) {
        await runner.stop(attempt)
        if ((await runner.observe(attempt)).status === 'running') await runner.waitForEnd(attempt)
      }
      await runner.close()
    },
  }
}

const launch = (runner: Runner, { folder }: Ground, attempt: string, line: string) => {
  const about = { NEXUS_PROJECT: 'shop', NEXUS_ISSUE: '12', NEXUS_WORKFLOW: 'shop-12-feature', NEXUS_STEP: 'develop' }
  const env = { PATH: process.env['PATH'] ?? '', NEXUS_AGENT: 'developer', ...about }
  return runner.launch({ attempt, command: line, cwd: folder, env, prompt: '' })
}

test('agents are listed, followed, and killed by force: the whole group, and nothing but it', async () => {
  await using ground = await grounds.files()
  const { admin } = ground
  await using opened = openRunner(ground)
  const { runner } = opened
  await launch(runner, ground, 'at-00000001', 'echo one; echo two; exit 3')
  await runner.waitForEnd('at-00000001')
  await launch(runner, ground, 'at-00000002', 'echo begun; sleep 600 & sleep 600')

  const { runs } = jsonOf(AgentList, await admin(['agent', '--json']))
  expect(runs).toMatchObject([{ attempt: 'at-00000002', status: 'running', agent: 'developer', issue: '12' }])
  const all = jsonOf(AgentList, await admin(['agent', 'ls', '--all', '--json'])).runs
  expect(all.map(({ attempt, reason, code }) => [attempt, reason, code])).toEqual([
    ['at-00000002', null, null],
    ['at-00000001', 'exited', 3],
  ])

  expect((await admin(['agent', 'logs', 'at-00000001'])).stdout).toBe('one\ntwo\n')
  const lines = (await admin(['agent', 'logs', 'at-00000001', '--json'])).stdout.trimEnd().split('\n')
  const read = lines.map((line) => jsonOf(AgentLogLine, { stdout: line }))
  expect(read.map((line) => (line.type === 'output' ? line.text : line.type))).toEqual(['run', 'one', 'two', 'end'])
  expect((await admin(['agent', 'logs', '77'])).status).toBe(1)

  const followed = admin(['agent', 'logs', 'at-00000002', '-f'])
  const killed = await admin(['agent', 'kill', 'at-00000002', 'at-00000001', '--force', '--json'])
  expect(killed.status).toBe(1)
  expect(jsonOf(BulkResult, killed).items).toEqual([
    { id: 'at-00000002', status: 'killed', ok: true },
    { id: 'at-00000001', status: 'ended', ok: false, reason: 'it is over already' },
  ])
  expect(await runner.waitForEnd('at-00000002')).toMatchObject({ reason: 'stopped' })
  expect(await followed).toMatchObject({ status: 0, stdout: 'begun\n' })
})

test('an agent whose run record names another machine is left alone', async () => {
  await using ground = await grounds.files()
  await using opened = openRunner(ground)
  await launch(opened.runner, ground, 'at-00000003', 'sleep 600')
  const started = opened.runner.folder('at-00000003').started
  const record = readFileSync(started, 'utf8')
  writeFileSync(started, JSON.stringify({ ...JSON.parse(record), hostId: 'elsewhere' }))
  const refused = await ground.admin(['agent', 'kill', 'at-00000003', '--force'])
  expect(refused.status).toBe(1)
  expect(refused.stdout).toBe('at-00000003 stays as it is: it was started on elsewhere.\n')
  writeFileSync(started, record)
  expect((await opened.runner.observe('at-00000003')).status).toBe('running')
})

test('without force the workflow is cancelled in the stores, wherever they are', async () => {
  await using ground = await grounds.mixed()
  await using stores = await openStores(ground.env)
  const at = '2026-03-01T12:00:00.000Z'
  const about = { id: 'shop-12-feature', name: 'x', project: 'shop', issueNumber: '12' }
  let document = documentOf(workflowOf([stepOf('develop')]))
  await stores.workflows.save({ ...about, state: document.state, currentStep: 0, data: toData(document) })
  const holding = { task: '1', attempts: 0, recoveries: 0, epoch: 1 }
  const begun = { attempt: 'at-00000004', baseline: [], isPartial: false }
  document = advance(document, { type: 'start', at, launch: begun, holding }).document
  await stores.workflows.save({ ...about, state: document.state, currentStep: 0, data: toData(document) })
  const folder = join(ground.env['NEXUS_DIR'] ?? '', 'runs', 'at-00000004')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'spec.json'), JSON.stringify({ env: { NEXUS_WORKFLOW: 'shop-12-feature' } }))

  expect(await ground.admin(['agent', 'kill', 'at-00000004'])).toMatchObject({
    status: 0,
    stdout: 'at-00000004: its workflow is cancelled, and its host ends the agent.\n',
  })
  expect((await stores.workflows.load('shop-12-feature'))?.state).toBe('cancelled')
  const again = await ground.admin(['agent', 'kill', 'at-00000004', '--json'])
  expect(again.status).toBe(1)
  expect(jsonOf(BulkResult, again).items[0]?.reason).toBe(
    'its workflow shop-12-feature: it is cancelled, and it is over; --force ends its processes',
  )
})
