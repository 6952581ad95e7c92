import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JsonObject, StoreError } from '@nexus/core'
import { createFakes, createMemoryData, openMemoryBackend } from '@nexus/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createIsNeeded } from '../src/loop/old-runs.ts'

const attempt = 'at-00000001'

describe('whether the folder of an old run may still be asked for', () => {
  let root: string
  let stores: ReturnType<typeof openMemoryBackend>

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'nexus-old-runs-'))
    stores = openMemoryBackend(createFakes().context, createMemoryData())
    await mkdir(join(root, 'runs', attempt), { recursive: true })
    const spec = { attempt, env: { NEXUS_WORKFLOW: 'shop-5-feature' } }
    await writeFile(join(root, 'runs', attempt, 'spec.json'), JSON.stringify(spec))
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const save = async (state: string, step: JsonObject): Promise<void> => {
    const data = { id: 'shop-5-feature', state, steps: [{ id: 'one', step_num: 1, ...step }] }
    const columns = { id: 'shop-5-feature', name: 'chain', state, currentStep: 0, project: 'shop', issueNumber: '5' }
    await stores.workflows.save({ ...columns, data })
  }
  const isNeeded = (holds = new Map<string, { runs: Map<string, null> }>()) =>
    createIsNeeded(root, { stores }, holds)(attempt)
  const present = { status: 'running', attempt_id: attempt }

  test.each(['running', 'paused', 'failed'])('a %s workflow whose running step it is: it is', async (state) => {
    await save(state, present)
    expect(await isNeeded()).toBe(true)
  })

  test.each(['completed', 'cancelled'])('a %s workflow: it is not', async (state) => {
    await save(state, present)
    expect(await isNeeded()).toBe(false)
  })

  test('an earlier run of the step: it is not', async () => {
    await save('running', { status: 'running', attempt_id: 'at-00000002', passes: [{ attempt_id: attempt }] })
    expect(await isNeeded()).toBe(false)
  })

  test('a step that failed for it: it is not, since a retry is another attempt', async () => {
    await save('failed', { status: 'failed', attempt_id: attempt })
    expect(await isNeeded()).toBe(false)
  })

  test('a workflow that is gone: it is not', async () => {
    expect(await isNeeded()).toBe(false)
  })

  test('a store that cannot be asked, or a workflow that cannot be read: it is', async () => {
    const error = new StoreError({ code: 'unavailable', message: 'down' })
    const down = { workflows: { ...stores.workflows, load: () => Promise.reject(error) } }
    expect(await createIsNeeded(root, { stores: down }, new Map())(attempt)).toBe(true)
    await save('running', present)
    await stores.workflows.save({
      ...{ id: 'shop-5-feature', name: 'chain', state: 'running', currentStep: 0, project: 'shop', issueNumber: '5' },
      data: { id: 'shop-5-feature', steps: [] },
    })
    expect(await isNeeded()).toBe(true)
  })

  test('a task at work that knows it: it is', async () => {
    expect(await isNeeded(new Map([['task', { runs: new Map([[attempt, null]]) }]]))).toBe(true)
  })

  test('a run of nobody: it is not', async () => {
    await writeFile(join(root, 'runs', attempt, 'spec.json'), JSON.stringify({ attempt, env: {} }))
    expect(await isNeeded()).toBe(false)
  })
})
