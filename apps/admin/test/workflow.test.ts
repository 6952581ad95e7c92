import type { Backend } from '@nexus/core'
import { advance, toData } from '@nexus/engine'
import { describe, expect, test } from 'vitest'
import { documentOf, stepOf, workflowOf } from '../../../packages/engine/test/stage.ts'
import { openStores } from '../../host/proof/stores.ts'
import { BulkResult } from '../src/act/bulk.ts'
import { Workflows } from '../src/act/workflow.ts'
import { WorkflowShown } from '../src/act/workflow-show.ts'
import { AuditList } from '../src/audit/commands.ts'
import { grounds, jsonOf } from './admin.ts'

const at = '2026-03-01T12:00:00.000Z'

/** A workflow that a host began: `running` at its first step, or `paused` where that needs approval. */
const begin = async (stores: Backend, id: string, requireApproval: boolean): Promise<void> => {
  const launch = { attempt: 'at-00000000', baseline: [], isPartial: false }
  const holding = { task: '1', attempts: 0, recoveries: 0, epoch: 1 }
  let document = documentOf(workflowOf([stepOf('deploy', { requireApproval })]))
  const save = async (): Promise<void> => {
    const { state, current_step: currentStep } = document
    const about = { id, name: id, project: 'shop', issueNumber: '1' }
    await stores.workflows.save({ ...about, state, currentStep, data: toData(document) })
  }
  await save()
  for (const _ of ['begun', 'proceeded']) {
    document = advance(document, { type: 'start', at, launch, holding }).document
    await save()
  }
}

describe.each(Object.entries(grounds))('nexus-admin workflow on %s', (_, open) => {
  test('shows what runs and what waits, and takes a person’s word on it', async () => {
    await using ground = await open()
    const admin = (...args: string[]) => ground.admin(['workflow', ...args])
    await using stores = await openStores(ground.env)
    await begin(stores, 'shop-1-feature', false)
    await begin(stores, 'shop-2-feature', true)

    const text = await admin()
    expect(text.status).toBe(0)
    expect(text.stdout).toMatch(/^shop-1-feature +running +deploy +deploy +\S+$/m)
    expect(text.stdout).toMatch(/^shop-2-feature +paused +deploy +deploy +\S+ +Step deploy waits for approval\.$/m)
    const listed = jsonOf(Workflows, await admin('ls', '--state', 'paused', '--json'))
    expect(listed).toMatchObject({ workflows: [{ id: 'shop-2-feature', waits_for_approval: true }], cursor: null })

    const shown = jsonOf(WorkflowShown, await admin('show', 'shop-1-feature', '--json')).workflow
    expect(shown).toMatchObject({
      state: 'running',
      steps: [{ number: 1, name: 'deploy', status: 'running', attempt: 'at-00000000' }],
      data: { steps: [{ attempt_id: 'at-00000000' }] },
    })
    expect((await admin('show', 'shop-1-feature')).stdout).toMatch(
      /^state +running$[\s\S]*^1 +deploy +deploy +running/m,
    )

    expect((await admin('pause', 'shop-1-feature', '--comment', 'lunch')).stdout).toBe(
      'shop-1-feature: pause done; it is paused now.\n',
    )
    const resumed = jsonOf(BulkResult, await admin('resume', 'shop-1-feature', 'shop-2-feature', 'nothing', '--json'))
    expect(resumed.items).toEqual([
      { id: 'shop-1-feature', ok: true, status: 'done', state: 'running' },
      {
        id: 'shop-2-feature',
        ok: false,
        status: 'refused',
        reason: 'it waits for approval: approve or reject it',
      },
      { id: 'nothing', ok: false, status: 'absent' },
    ])
    expect((await admin('approve', 'shop-2-feature', '--by', 'ann')).status).toBe(0)
    const cancelled = await admin('cancel', '--project', 'shop', '--yes', '--json')
    expect(jsonOf(BulkResult, cancelled).counts).toEqual({ done: 2 })
    expect(await stores.workflows.load('shop-1-feature')).toMatchObject({ state: 'cancelled' })
    expect((await stores.workflows.load('shop-2-feature'))?.data['steps']).toMatchObject([
      { approval: { status: 'approved', by: 'ann' } },
    ])
    const { changes } = jsonOf(AuditList, await ground.admin(['audit', '--command', 'workflow', '--json']))
    expect(changes.map(({ command, arguments: given }) => [command, given])).toEqual([
      ['workflow cancel', { state: 'running', project: 'shop' }],
      ['workflow approve', { by: 'ann' }],
      ['workflow resume', {}],
      ['workflow pause', { comment: 'lunch' }],
    ])
  })
})

test('a workflow whose steps cannot be read is named, and hides no other; what does not fit is refused', async () => {
  await using ground = await grounds.files()
  const admin = (...args: string[]) => ground.admin(['workflow', ...args])
  await using stores = await openStores(ground.env)
  await begin(stores, 'shop-1-feature', false)
  const place = { name: 'x', project: 'shop', issueNumber: '3', state: 'running', currentStep: 0 } as const
  await stores.workflows.save({ ...place, id: 'shop-3-feature', data: {} })
  const { status, stdout } = await admin()
  expect(status).toBe(0)
  expect(stdout).toMatch(/^shop-1-feature +running/m)
  expect(stdout).toMatch(/^shop-3-feature {2}cannot be read$/m)
  expect(jsonOf(Workflows, await admin('list', '--json'))).toMatchObject({ corrupt: ['shop-3-feature'] })
  expect(await admin('show', 'shop-3-feature')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: 'Workflow shop-3-feature has no steps that can be read.\n',
  })
  expect(await admin('approve', 'shop-1-feature')).toMatchObject({
    status: 1,
    stdout: 'shop-1-feature stays as it is: it is running, and nothing in it waits for approval.\n',
  })
  expect(await admin('retry', 'nothing')).toMatchObject({
    status: 1,
    stdout: 'There is no workflow nothing. See: nexus-admin workflow ls\n',
  })
})
