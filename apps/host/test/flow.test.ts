import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EnqueueTask } from '@nexus/core'
import { steerWorkflow } from '@nexus/engine'
import { describe, expect, test } from 'vitest'
import { requestDrain } from '../src/loop/drain.ts'
import { agentPath, useBench } from './host-harness.ts'
import { until } from './until.ts'

const command = ['node', agentPath('scripted.mjs')]
const roles = ['planner', 'designer', 'developer', 'tester', 'reviewer'] as const

type Member = string | number | boolean | readonly unknown[] | object
type Steps = readonly Record<string, Member>[]

describe('workflows that branch', () => {
  const bench = useBench()

  const configure = (workflow: object, more: object = {}, project: object = {}) =>
    bench().write({
      projects: { shop: { workspace: bench().workspace, ...project } },
      agents: Object.fromEntries(roles.map((role) => [role, { command }])),
      workflows: { main: workflow },
      ...more,
    })
  const script = (steps: Record<string, unknown[]>) =>
    writeFile(join(bench().workspace, 'script.json'), JSON.stringify(steps))
  const enqueue = (filename: string, more: Partial<EnqueueTask> = {}) =>
    bench().stores.inbox.enqueue([{ project: 'shop', filename, markdown: 'text', ...more }])
  const started = async () => (await bench().starts()).map(({ step }) => step)
  const load = async (id = 'shop-1-feature') => (await bench().stores.workflows.load(id))?.data

  test('a router sends a change back until it is approved; a condition leaves a step out', async () => {
    const steps: Steps = [
      { id: 'develop', agent_type: 'developer' },
      { id: 'test', agent_type: 'tester', condition: 'needs_tests == true' },
      { id: 'review', agent_type: 'reviewer' },
      {
        id: 'decide',
        agent_type: 'router',
        routes: [JSON.parse(`{ "when": "review_status == 'approved'", "then": "close" }`), { default: 'develop' }],
      },
      { id: 'close', agent_type: 'planner', final_step: true },
    ]
    await configure({ steps })
    await script({
      develop: [{ needs_tests: false }, { needs_tests: true }],
      review: [{ review_status: 'changes' }, { review_status: 'approved' }],
    })
    await enqueue('a.md')
    expect(await bench().once()).toBe('done')
    expect(await started()).toEqual(['develop', 'review', 'develop', 'test', 'review', 'close'])
    expect(await load()).toMatchObject({ state: 'completed', steps: [{ iteration: 1, passes: [{}] }, {}, {}, {}, {}] })
  })

  test('steps that run side by side each have a file of their own, and all are waited for', async () => {
    const steps: Steps = [
      { id: 'plan', agent_type: 'planner' },
      { id: 'build', agent_type: 'developer', parallel: ['design', 'test'] },
      { id: 'design', agent_type: 'designer' },
      { id: 'test', agent_type: 'tester' },
      { id: 'review', agent_type: 'reviewer' },
    ]
    await configure({ steps })
    await script({ build: ['wait'], design: ['wait'], test: ['wait'] })
    await enqueue('a.md')
    const run = bench().once()
    await until('all three to run', async () => (await started()).length === 4)
    expect((await started()).sort()).toEqual(['build', 'design', 'plan', 'test'])
    for (const step of ['design', 'build', 'test']) await writeFile(join(bench().workspace, `go.${step}`), '')
    expect(await run).toBe('done')
    expect((await started()).at(-1)).toBe('review')
    const { items } = await bench().stores.completions.history('1')
    expect(items.map(({ summary }) => summary).sort()).toEqual(
      ['build', 'design', 'plan', 'review', 'test'].map((step) => `${step}, pass 0`),
    )
  })

  test('what an agent reports beside one that is blocked is in the store before its task is let go', async () => {
    const steps: Steps = [
      { id: 'build', agent_type: 'developer', parallel: ['design'] },
      { id: 'design', agent_type: 'designer' },
    ]
    await configure({ steps })
    await script({ build: [{ status: 'blocked' }], design: ['wait'] })
    await enqueue('a.md')
    // Nobody looks for files but at the ends of agents.
    const host = await bench().open({ timing: { idlePollMs: 600_000, pollMs: 600_000 } })
    const ended = new AbortController()
    const run = host.run({ once: false, signal: ended.signal })
    await until('the one to be blocked', async () => (await load())?.['state'] === 'paused')
    await writeFile(join(bench().workspace, 'go.design'), '')
    await until('the task to be let go', async () => (await bench().stores.inbox.counts()).pending === 1)
    const { items } = await bench().stores.completions.history('1')
    ended.abort()
    await run
    expect(items.map(({ agentType }) => agentType).sort()).toEqual(['designer', 'developer'])
  })

  test('a retry policy runs a step again, and its last failure is the end of the task', async () => {
    await configure({
      steps: [{ id: 'develop', agent_type: 'developer', retry: { max_retries: 1, initial_delay: 0.05 } }],
    })
    await script({ develop: ['crash', 'crash'] })
    await enqueue('a.md')
    expect(await bench().once()).toBe('failed')
    expect(await started()).toEqual(['develop', 'develop'])
    expect(await bench().stores.inbox.counts()).toMatchObject({ failed: 1, pending: 0 })
  })

  test('while a step waits for its next try, its agent is not told of as launched', async () => {
    await configure({
      steps: [{ id: 'develop', agent_type: 'developer', retry: { max_retries: 1, initial_delay: 600 } }],
    })
    await script({ develop: ['crash'] })
    await enqueue('a.md')
    expect(await bench().once()).toBe('failed')
    expect(await bench().stores.inbox.counts()).toMatchObject({ failed: 0, pending: 1 })
    expect((await bench().stores.hostState.load('launched_agents'))?.value).toEqual({})
  })

  test('a step waits for approval and begins when it is given; what is rejected fails', async () => {
    await configure({ steps: [{ id: 'deploy', agent_type: 'developer', require_human_approval: true }] })
    await enqueue('a.md')
    await enqueue('b.md')
    const host = await bench().open({ timing: { pausedMinMs: 100 } })
    const ended = new AbortController()
    const run = host.run({ once: false, signal: ended.signal })
    await until(
      'both to wait for approval',
      async () => (await load())?.['state'] === 'paused' && (await load('shop-2-feature'))?.['state'] === 'paused',
    )
    expect(await started()).toEqual([])
    const at = new Date().toISOString()
    const order = { at, by: 'ann', comment: 'not on friday' } as const
    expect(await steerWorkflow(bench().stores, 'shop-1-feature', { type: 'resume', at })).toMatchObject({
      status: 'refused',
    })
    await steerWorkflow(bench().stores, 'shop-1-feature', { type: 'approve', ...order })
    await steerWorkflow(bench().stores, 'shop-2-feature', { type: 'reject', ...order })
    await until('both to end', async () => {
      const { done, failed } = await bench().stores.inbox.counts()
      return done === 1 && failed === 1
    })
    ended.abort()
    await run
    const { items } = await bench().stores.inbox.list({ status: 'failed' })
    expect(items[0]?.error).toBe('Step deploy was rejected by ann: not on friday')
  })

  test('a dead letter that a person has run again begins at the step that is named', async () => {
    await configure({
      steps: [
        { id: 'develop', agent_type: 'developer' },
        { id: 'test', agent_type: 'tester', retry: 0 },
      ],
    })
    await script({ test: ['crash'] })
    await enqueue('a.md')
    expect(await bench().once()).toBe('failed')
    const order = { type: 'retry', at: new Date().toISOString(), step: 'develop' } as const
    expect(await steerWorkflow(bench().stores, 'shop-1-feature', order)).toEqual({ status: 'done', state: 'failed' })
    expect(await bench().once()).toBe('done')
    expect(await started()).toEqual(['develop', 'test', 'develop', 'test'])
  })

  test('a project works on no more tasks at once than it says', async () => {
    await configure({ steps: [{ id: 'develop', agent_type: 'developer' }] }, {}, { concurrency: 1 })
    for (const name of ['a.md', 'b.md', 'c.md']) await enqueue(name)
    await script({ develop: ['wait'] })
    const run = bench().once()
    await until('the first to run', async () => (await started()).length === 1)
    expect(await bench().stores.inbox.counts()).toMatchObject({ processing: 1, pending: 2 })
    await writeFile(join(bench().workspace, 'go.develop'), '')
    expect(await run).toBe('done')
    const lines = async (file: string) => (await readFile(join(bench().workspace, file), 'utf8')).split('\n')
    expect(await lines('starts.log')).toEqual(await lines('ends.log'))
  })

  test('the type and the tier of a task choose the steps', async () => {
    await configure({
      full_workflow: {
        steps: [
          { id: 'plan', agent_type: 'planner' },
          { id: 'develop', agent_type: 'developer' },
        ],
      },
      'fast-track_workflow': { steps: [{ id: 'quick', agent_type: 'developer' }] },
    })
    await enqueue('a.md', { markdown: '**Type:** hotfix\n\ntext' })
    await enqueue('b.md', { markdown: '**Type:** hotfix\n**Tier:** full\n\ntext' })
    expect(await bench().once()).toBe('done')
    expect((await started()).sort()).toEqual(['develop', 'plan', 'quick'])
  })

  test('an agent that fails again and again is not started for a while, and its tasks are not used up', async () => {
    await configure(
      { steps: [{ id: 'develop', agent_type: 'developer' }] },
      { concurrency: 1, fuse: { failures: 2, cool_down_seconds: 600 } },
    )
    await script({ develop: ['crash', 'crash', 'crash'] })
    for (const [name, issue] of [
      ['a.md', '1'],
      ['b.md', '2'],
      ['c.md', '3'],
    ] as const)
      await enqueue(name, { issueNumber: issue })
    expect(await bench().once()).toBe('failed')
    const { items } = await bench().stores.inbox.list({ status: 'pending' })
    expect(items).toHaveLength(3)
    expect(await started()).toHaveLength(2)
    const { items: held } = await bench().stores.workflows.list({ state: 'running' })
    expect(held.length).toBeGreaterThan(0)
    for (const { data } of held) expect(data['steps']).toMatchObject([{ status: 'pending', attempt_id: null }])
    expect((await bench().stores.hostState.load('agent_fuses'))?.value).toMatchObject({ developer: { failures: 2 } })
  })

  test('a host that is to drain finishes the agents that run, and leaves the rest to others', async () => {
    await configure(
      {
        steps: [
          { id: 'plan', agent_type: 'planner' },
          { id: 'develop', agent_type: 'developer' },
        ],
      },
      { concurrency: 1 },
    )
    await script({ plan: ['wait'] })
    await enqueue('a.md')
    await enqueue('b.md')
    const host = await bench().open({ timing: { sweepMs: 50 } })
    const run = host.run({ once: false, signal: AbortSignal.timeout(40_000) })
    await until('the first to run', async () => (await started()).length === 1)
    await requestDrain(bench().stores.hostState, 'now')
    await until('the host to hear of it', async () =>
      bench().log.some(({ message }) => message === 'the host was asked to drain'),
    )
    await writeFile(join(bench().workspace, 'go.plan'), '')
    expect(await run).toBe('stopped')
    expect(await started()).toEqual(['plan'])
    expect(await bench().stores.inbox.counts()).toMatchObject({ processing: 0, pending: 2 })
    expect(await bench().once()).toBe('done')
    expect((await started()).sort()).toEqual(['develop', 'develop', 'plan', 'plan'])
  })
})
