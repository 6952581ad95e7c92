import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Backend } from '@nexus/core'
import { advance, toData } from '@nexus/engine'
import { freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { documentOf, stepOf, workflowOf } from '../../../packages/engine/test/stage.ts'
import { openStores } from '../../host/proof/stores.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const at = '2026-03-01T12:00:00.000Z'

let folder = ''
let env: Record<string, string> = {}
let close = async (): Promise<void> => {}

const admin = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'workflow', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

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

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus-admin-'))
})
afterEach(async () => {
  await close()
  close = async () => {}
  rmSync(folder, { recursive: true, force: true })
})

const places = {
  files: async () => ({ NEXUS_DIR: join(folder, '.nexus') }),
  postgres: async () => {
    const database = await freshDatabase(await testDsn())
    close = async () => database[Symbol.asyncDispose]()
    return { NEXUS_DIR: join(folder, '.nexus'), NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: database.dsn }
  },
}

describe.each(Object.entries(places))('nexus-admin workflow on %s', (_, place) => {
  beforeEach(async () => {
    env = await place()
    await using stores = await openStores(env)
    await begin(stores, 'shop-1-feature', false)
    await begin(stores, 'shop-2-feature', true)
  })

  test('shows what runs and what waits, for people and for programs', () => {
    const { status, stdout } = admin()
    expect(status).toBe(0)
    expect(stdout).toMatch(/^shop-1-feature {2}running {2}at deploy \(deploy\)$/m)
    expect(stdout).toMatch(/^shop-2-feature {2}paused {2}at deploy \(deploy\) {2}Step deploy waits for approval\.$/m)
    const listed = JSON.parse(admin('list', '--state', 'paused', '--json').stdout)
    expect(listed).toMatchObject({ version: 1, workflows: [{ id: 'shop-2-feature', waits_for_approval: true }] })
  })

  test('one whose steps cannot be read is named, and hides no other', async () => {
    await using stores = await openStores(env)
    const place = { name: 'x', project: 'shop', issueNumber: '3', state: 'running', currentStep: 0 } as const
    await stores.workflows.save({ ...place, id: 'shop-3-feature', data: {} })
    const { status, stdout } = admin()
    expect(status).toBe(0)
    expect(stdout).toMatch(/^shop-1-feature {2}running/m)
    expect(stdout).toMatch(/^shop-3-feature {2}cannot be read$/m)
    expect(JSON.parse(admin('list', '--json').stdout)).toMatchObject({ corrupt: ['shop-3-feature'] })
  })

  test('a person pauses, resumes, approves and cancels', async () => {
    expect(admin('pause', 'shop-1-feature', '--comment', 'lunch').stdout).toBe(
      'shop-1-feature: pause done; it is paused now.\n',
    )
    expect(admin('resume', 'shop-1-feature').stdout).toBe('shop-1-feature: resume done; it is running now.\n')
    expect(JSON.parse(admin('approve', 'shop-2-feature', '--by', 'ann', '--json').stdout)).toEqual({
      version: 1,
      id: 'shop-2-feature',
      order: 'approve',
      status: 'done',
      state: 'running',
    })
    expect(admin('cancel', 'shop-1-feature').status).toBe(0)
    await using stores = await openStores(env)
    expect(await stores.workflows.load('shop-1-feature')).toMatchObject({ state: 'cancelled' })
    expect((await stores.workflows.load('shop-2-feature'))?.data['steps']).toMatchObject([
      { approval: { status: 'approved', by: 'ann' } },
    ])
  })

  test('what does not fit is refused with the reason', () => {
    expect(admin('resume', 'shop-2-feature')).toMatchObject({
      status: 1,
      stdout: 'shop-2-feature stays as it is: it waits for approval: approve or reject it.\n',
    })
    expect(admin('approve', 'shop-1-feature')).toMatchObject({
      status: 1,
      stdout: 'shop-1-feature stays as it is: it is running, and nothing in it waits for approval.\n',
    })
    expect(admin('retry', 'nothing')).toMatchObject({
      status: 1,
      stdout: 'There is no workflow nothing. See: nexus-admin workflow list\n',
    })
  })
})
