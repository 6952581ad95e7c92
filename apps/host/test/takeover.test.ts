import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { documentOf, toData, type WorkflowDocument } from '@nexus/engine'
import { describe, expect, test } from 'vitest'
import { createAttempts } from '../src/task/attempts.ts'
import { mkfifoSync } from './fifo.ts'
import { agentPath, useBench } from './host-harness.ts'
import { until } from './until.ts'

describe('hosts with roots of their own', () => {
  const bench = useBench()
  const workflowId = 'shop-7-feature'

  /** A host that ended with its agent at work, which another root's host has started as far as the workflow says. */
  const leftByAnother = async (): Promise<string> => {
    const t = bench()
    mkfifoSync(join(t.workspace, 'gate-s1'))
    await t.configure({ triage: `sh '${agentPath('gated.sh')}'` })
    await t.stores.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown: '**Issue:** 7' }])
    const ending = new AbortController()
    const host = await t.open()
    const ended = host.run({ once: false, signal: ending.signal })
    const [attempt = ''] = await until('an agent at work', async () => {
      const names = await t.runner.list()
      return names.length > 0 && (await t.runner.observe(names[0] ?? '')).status === 'running' ? names : null
    })
    ending.abort()
    await ended
    await rewrite((document) => ({
      ...document,
      steps: document.steps.map((step) => ({ ...step, attempt_id: attempt.replace(/[^-]*$/, '00000000') })),
    }))
    await t.runner.stop(attempt)
    await t.runner.waitForEnd(attempt)
    return attempt.replace(/[^-]*$/, '00000000')
  }

  const rewrite = async (change: (document: WorkflowDocument) => WorkflowDocument): Promise<void> => {
    const { stores } = bench()
    const workflow = await stores.workflows.load(workflowId)
    if (!workflow) throw new Error('no workflow')
    await stores.workflows.save({ ...workflow, data: toData(change(documentOf(workflow))) })
  }

  test('a run below another root is not started here: the step begins anew, and what was there stays to be read', async () => {
    const t = bench()
    const foreign = await leftByAnother()
    await t.configure({ triage: `sh '${agentPath('by-file.sh')}'` })
    expect(await t.once()).toBe('done')
    const starts = await t.starts()
    expect(starts).toHaveLength(1)
    expect(starts[0]?.attempt).not.toBe(foreign)
    const [step] = documentOf((await t.stores.workflows.load(workflowId)) ?? expect.fail()).steps
    expect(step?.passes.map(({ attempt_id, error }) => [attempt_id, error])).toEqual([
      [foreign, expect.stringContaining('The host that ran the agent is gone')],
    ])
  })

  test('a host that stood still for longer than its lease starts nothing for a task that another one has', async () => {
    const t = bench()
    await leftByAnother()
    await writeFile(join(t.workspace, 'starts.log'), '')
    const host = await t.open({
      stores: {
        ...t.stores,
        inbox: { ...t.stores.inbox, heartbeat: async (claims) => ({ lost: [...claims], cancelRequested: [] }) },
      },
      timing: { heartbeatMs: 60_000 },
    })
    const ending = new AbortController()
    const ended = host.run({ once: false, signal: ending.signal })
    await until('the loss', () => t.log.some(({ message }) => message.startsWith('claim lost')))
    ending.abort()
    await ended
    expect(await t.starts()).toEqual([])
  })
})

test('an attempt says whose root its run lies below; one that names none is taken for ours', () => {
  const names = ['00000001', '00000002']
  const here = createAttempts({ next: () => names.pop() ?? '' }, '0123456789abcdef')
  const there = createAttempts({ next: () => names.pop() ?? '' }, 'fedcba9876543210')
  expect(here.isOurs(here.next())).toBe(true)
  expect(here.isOurs(there.next())).toBe(false)
  expect(here.isOurs('at-00000003')).toBe(true)
})
