import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CompletionStore, JsonObject } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { mkfifoSync } from './fifo.ts'
import { agentPath, useBench } from './host-harness.ts'
import { until } from './until.ts'

const byPost = (...members: string[]): string => ['node', agentPath('by-post.mjs'), ...members].join(' ')
const gated = `sh ${agentPath('gated.sh')}`

describe('what other programs do meanwhile', () => {
  const bench = useBench()
  const enqueue = (project: string, filename: string, markdown: string) =>
    bench().stores.inbox.enqueue([{ project, filename, markdown }])

  /** A row by a program that knows the documented columns alone. */
  const insertCompletion = (agentType: string, payload: JsonObject): string => {
    const { data } = bench()
    const dedupKey = `5:${agentType}:complete`
    const now = new Date()
    const [createdAt, savedAt] = [now, now]
    const own = { project: null, issueNumber: '5', agentType, status: 'complete', summary: 'by SQL', reportId: null }
    data.completions.set(dedupKey, {
      ...own,
      seq: data.next(),
      text: JSON.stringify(payload),
      dedupKey,
      createdAt,
      savedAt,
    })
    return dedupKey
  }

  const state = async (id: string) => (await bench().stores.workflows.load(id))?.state
  const atWork = async (count: number) => {
    const { runner } = bench()
    const states = await Promise.all((await runner.list()).map((attempt) => runner.observe(attempt)))
    return states.filter(({ status }) => status === 'running').length === count
  }

  test('a completion without a project answers the one running workflow of its issue, and becomes its own', async () => {
    const t = bench()
    await t.configure({ triage: gated })
    mkfifoSync(join(t.workspace, 'gate-s1'))
    await enqueue('shop', 'a.md', '**Issue:** 5')
    const running = t.once()
    await until('the agent', () => atWork(1))
    const key = insertCompletion('triage', {})
    expect(await running).toBe('done')
    expect(t.data.completions.get(key)).toMatchObject({ project: 'shop' })
  })

  test('what does not answer the step is kept, advances nothing, and is explained once however often it is seen', async () => {
    const t = bench()
    await t.configure({ triage: gated })
    mkfifoSync(join(t.workspace, 'gate-s1'))
    await enqueue('shop', 'a.md', '**Issue:** 5')
    const running = t.once()
    await until('the agent', () => atWork(1))
    const key = insertCompletion('reviewer', { step_id: 's9' })
    const explanations = () => t.log.filter(({ message }) => message === 'report does not count')
    await until('its explanation', () => explanations().length > 0)
    const looks = t.log.length
    insertCompletion('triage', { step_id: 's9' })
    await until('that of the next one', () => explanations().length > 1)
    expect(t.log.length).toBeGreaterThan(looks)
    await writeFile(join(t.workspace, 'gate-s1'), 'go\n')
    expect(await running).toBe('done')
    expect(explanations().map(({ fields }) => [fields['agent'], fields['why']])).toEqual([
      ['reviewer', 'its agent_type is "reviewer"'],
      ['triage', 'its step_id is "s9"'],
    ])
    expect(t.data.completions.has(key)).toBe(true)
  })

  test("a row whose name the project has already stays nobody's, and is warned of once however often it is seen", async () => {
    const t = bench()
    await t.configure({ triage: gated })
    mkfifoSync(join(t.workspace, 'gate-s1'))
    const row = t.data.completions.get(insertCompletion('triage', {}))
    if (!row) return expect.fail()
    t.data.completions.set('named otherwise', { ...row, dedupKey: 'named otherwise', project: 'shop' })
    t.data.completions.delete(row.dedupKey)
    await enqueue('shop', 'a.md', '**Issue:** 5')
    let looks = 0
    const assign: CompletionStore['assign'] = (...given) => {
      looks += 1
      return t.stores.completions.assign(...given)
    }
    const running = t.once(await t.open({ stores: { ...t.stores, completions: { ...t.stores.completions, assign } } }))
    await until('the agent', () => atWork(1))
    insertCompletion('triage', {})
    await until('three looks', () => looks >= 3, 5_000)
    await writeFile(join(t.workspace, 'gate-s1'), 'go\n')
    expect(await running).toBe('done')
    expect(t.log.filter(({ message }) => message.startsWith('a completion without a project'))).toHaveLength(1)
  })

  test('a row that was there before the launch answers nothing', async () => {
    const t = bench()
    await t.configure({ triage: gated })
    mkfifoSync(join(t.workspace, 'gate-s1'))
    const key = insertCompletion('triage', {})
    await enqueue('shop', 'a.md', '**Issue:** 5')
    const running = t.once()
    await until('the agent', () => atWork(1))
    await writeFile(join(t.workspace, 'gate-s1'), 'go\n')
    expect(await running).toBe('done')
    expect(t.data.completions.get(key)).toMatchObject({ project: null })
    expect(await t.stores.workflows.load('shop-5-feature')).toMatchObject({
      data: { steps: [{ report: { summary: 's1 by file' } }] },
    })
  })

  test('one issue in two projects: two workflows, and such a row must name its own', async () => {
    const t = bench()
    await t.configure({ triage: gated }, ['shop', 'blog'])
    mkfifoSync(join(t.workspace, 'gate-s1'))
    await enqueue('shop', 'a.md', '**Issue:** 5')
    await enqueue('blog', 'a.md', '**Issue:** 5')
    const running = t.once()
    await until('both agents', () => atWork(2))
    const key = insertCompletion('triage', { workflow_id: 'blog-5-feature' })
    await until('the one that is named', async () => (await state('blog-5-feature')) === 'completed')
    expect(t.data.completions.get(key)).toMatchObject({ project: 'blog' })
    expect(await state('shop-5-feature')).toBe('running')
    insertCompletion('triage', { workflow_id: 'shop-5-feature' })
    expect(await running).toBe('done')
    const tracked = (await t.stores.hostState.load('tracked_issues'))?.value as Record<string, JsonObject>
    expect(Object.keys(tracked).sort()).toEqual(['5', expect.stringMatching(/^(shop|blog)\/5$/)])
    expect(new Set(Object.values(tracked).map(({ project }) => project))).toEqual(new Set(['shop', 'blog']))
  })

  test('an update of the state alone pauses: the agent ends, its report waits, and running again takes it', async () => {
    const t = bench()
    await t.configure({ triage: gated, developer: byPost() })
    mkfifoSync(join(t.workspace, 'gate-s1'))
    await enqueue('shop', 'a.md', '**Issue:** 5')
    const running = t.once()
    await until('the agent', () => atWork(1))
    const setState = (to: string) => {
      const row = t.data.workflows.get('shop-5-feature')
      if (row) t.data.workflows.set('shop-5-feature', { ...row, state: to })
    }
    setState('paused')
    await writeFile(join(t.workspace, 'gate-s1'), 'go\n')
    expect(await running).toBe('failed')
    expect(await t.stores.workflows.load('shop-5-feature')).toMatchObject({ state: 'paused', currentStep: 0 })

    setState('running')
    const [task] = (await t.stores.inbox.list()).items
    await until('the task to be due', () => (task?.runAt.getTime() ?? 0) <= Date.now())
    expect(await t.once(await t.open())).toBe('done')
    expect((await t.starts()).map(({ step }) => step)).toEqual(['s1', 's2'])
  })

  test('a workflow that another program completed ends its task, and its agent with it', async () => {
    const t = bench()
    await t.configure({ triage: gated })
    mkfifoSync(join(t.workspace, 'gate-s1'))
    await enqueue('shop', 'a.md', '**Issue:** 5')
    const running = t.once()
    await until('the agent', () => atWork(1))
    const row = t.data.workflows.get('shop-5-feature')
    if (row) t.data.workflows.set('shop-5-feature', { ...row, state: 'completed' })
    expect(await running).toBe('done')
    expect(await atWork(0)).toBe(true)
    expect(await t.stores.taskFiles.load('shop', 'a.md')).toMatchObject({ state: 'closed' })
  })
})
