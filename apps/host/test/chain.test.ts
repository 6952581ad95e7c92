import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Backend, type EnqueueTask, StoreError } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { mkfifoSync } from './fifo.ts'
import { agentPath, type Line, useBench } from './host-harness.ts'
import { until } from './until.ts'

const byPost = (...members: string[]): string => ['node', agentPath('by-post.mjs'), ...members].join(' ')
const shell = (name: string): string => `sh ${agentPath(name)}`

const stepsOf = (starts: Line[], issue: string): string[] =>
  starts.filter((line) => line.issue === issue).map(({ step }) => step)

describe('a chain of agents', () => {
  const bench = useBench()
  const enqueue = (filename: string, markdown: string, more: Partial<EnqueueTask> = {}) =>
    bench().stores.inbox.enqueue([{ project: 'shop', filename, markdown, ...more }])
  const counts = () => bench().stores.inbox.counts()

  test('a task goes from the inbox through its steps to done', async () => {
    const t = bench()
    await t.configure({ triage: byPost(), developer: byPost(), reviewer: byPost() })
    await enqueue('cart.md', '# Feature\n**Type:** bug\n\nThe cart forgets its content.')

    expect(await t.once()).toBe('done')
    const workflow = await t.stores.workflows.load('shop-1-bug')
    expect(workflow).toMatchObject({ state: 'completed', project: 'shop', issueNumber: '1' })
    expect(await counts()).toMatchObject({ pending: 0, processing: 0, done: 1, failed: 0 })
    expect(await t.stores.taskFiles.load('shop', 'cart.md')).toMatchObject({ state: 'closed', issueNumber: '1' })
    expect((await t.stores.hostState.load('tracked_issues'))?.value).toMatchObject({
      1: { project: 'shop', status: 'completed', description: 'Feature' },
    })
    expect((await t.stores.hostState.load('launched_agents'))?.value).toEqual({})
    const starts = await t.starts()
    expect(starts.map(({ step }) => step)).toEqual(['s1', 's2', 's3'])
    expect(workflow?.data['steps']).toMatchObject([
      { status: 'completed', attempt_id: starts[0]?.attempt, report: { summary: 's1 by post' } },
      { status: 'completed', attempt_id: starts[1]?.attempt },
      { status: 'completed', attempt_id: starts[2]?.attempt },
    ])
  })

  test('tasks without a number get one each; the number a task names is used, once at a time', async () => {
    const t = bench()
    await t.configure({ triage: byPost() })
    await enqueue('a.md', 'one')
    await enqueue('b.md', 'two')
    await enqueue('c.md', '**Issue:** https://git.example/shop/issues/40')
    await enqueue('d.md', '**Issue:** 40')

    expect(await t.once()).toBe('done')
    const { items } = await t.stores.workflows.list()
    expect(items.map(({ id }) => id).sort()).toEqual([
      'shop-1-feature',
      'shop-2-feature',
      'shop-40-feature',
      'shop-40-feature-2',
    ])
    expect(stepsOf(await t.starts(), '40')).toEqual(['s1', 's1'])
  })

  test('agents report by file, where they are told to or below the folder they work in', async () => {
    const t = bench()
    const below = '.nexus/tasks/$NEXUS_PROJECT/completions/completion_summary_$NEXUS_ISSUE.json'
    await t.configure({
      triage: shell('by-file.sh'),
      designer: `NEXUS_COMPLETION_FILE=${below} sh ${agentPath('by-file.sh')}`,
      developer: shell('by-file.sh'),
    })
    await enqueue('a.md', 'text')
    expect(await t.once()).toBe('done')
    expect((await t.starts()).map(({ step }) => step)).toEqual(['s1', 's2', 's3'])
    const { items } = await t.stores.completions.history('1')
    expect(items.map(({ summary }) => summary)).toEqual(['s3 by file', 's2 by file', 's1 by file'])
  })

  test('the same filename again is a new task with a file of its own', async () => {
    const t = bench()
    await t.configure({ triage: byPost() })
    const host = await t.open()
    await enqueue('a.md', 'first')
    expect(await t.once(host)).toBe('done')
    await enqueue('a.md', 'second')
    expect(await t.once(host)).toBe('done')
    const files = (await t.stores.taskFiles.list()).items.map(({ filename, content, state }) => ({
      filename,
      content,
      state,
    }))
    expect(files).toContainEqual({ filename: 'a.md', content: 'first', state: 'closed' })
    expect(files).toContainEqual({ filename: 'a~2.md', content: 'second', state: 'closed' })
  })

  test('blocked pauses the workflow with the words of the agent, until a person sets it running', async () => {
    const t = bench()
    await t.configure({ triage: byPost('status=blocked', "'summary=no credentials'"), developer: byPost() })
    await enqueue('a.md', 'text')
    const host = await t.open()
    expect(await t.once(host)).toBe('failed')
    const paused = await t.stores.workflows.load('shop-1-feature')
    expect(paused).toMatchObject({ state: 'paused', data: { paused_reason: 'no credentials' } })
    expect(await counts()).toMatchObject({ pending: 1, failed: 0 })
    expect((await t.stores.hostState.load('tracked_issues'))?.value).toMatchObject({ 1: { status: 'paused' } })

    await t.configure({ triage: byPost(), developer: byPost() })
    if (paused) await t.stores.workflows.save({ ...paused, state: 'running' }, { ifRev: paused.rev })
    const ended = new AbortController()
    const running = (await t.open()).run({ once: false, signal: ended.signal })
    await until('done', async () => (await counts()).done === 1)
    ended.abort()
    expect(await running).toBe('stopped')
    expect(stepsOf(await t.starts(), '1')).toEqual(['s1', 's1', 's2'])
  })

  test('an agent that dies without a word is tried again, and its task is a dead letter in the end', async () => {
    const t = bench()
    await t.configure({ triage: shell('crash.sh') })
    await enqueue('a.md', 'text', { maxAttempts: 2 })
    expect(await t.once()).toBe('failed')
    expect(await counts()).toMatchObject({ pending: 0, failed: 1 })
    const [task] = (await t.stores.inbox.list()).items
    expect(task?.error).toMatch(
      /^The agent triage ended \(exited: with exit code 7\) without a report\. Its output: runs\/at-/,
    )
    expect(await t.stores.workflows.load('shop-1-feature')).toMatchObject({ state: 'failed' })
    const starts = await t.starts()
    expect(new Set(starts.map(({ attempt }) => attempt)).size).toBe(2)
    expect((await t.stores.hostState.load('tracked_issues'))?.value).toMatchObject({ 1: { status: 'failed' } })

    await t.stores.inbox.requeue(task?.id ?? '')
    await t.configure({ triage: byPost() })
    expect(await t.once()).toBe('done')
    expect(await t.stores.workflows.load('shop-1-feature')).toMatchObject({ state: 'completed' })
  })

  test('an agent killed once is started once more', async () => {
    const t = bench()
    await t.configure({ triage: `test -e crashed && exec ${byPost()}; touch crashed; kill -9 $$` })
    await enqueue('a.md', 'text')
    expect(await t.once()).toBe('done')
    expect(await t.stores.workflows.load('shop-1-feature')).toMatchObject({ data: { steps: [{ retry_count: 1 }] } })
  })

  test('a command that does not exist is said so', async () => {
    const t = bench()
    await t.configure({ triage: 'no-such-command-here' })
    await enqueue('a.md', 'text', { maxAttempts: 1 })
    expect(await t.once()).toBe('failed')
    expect((await t.stores.inbox.list()).items[0]?.error).toContain(
      "exit code 127, the shell's word for a command not found",
    )
  })

  test('reports that are late, foreign, duplicate or about another step never advance', async () => {
    const t = bench()
    await t.configure({ triage: byPost(), developer: shell('gated.sh') })
    mkfifoSync(join(t.workspace, 'gate-s2'))
    await enqueue('a.md', 'text')
    let looks = 0
    const { completions } = t.stores
    const history: typeof completions.history = (...given) => {
      looks += 1
      return completions.history(...given)
    }
    const running = t.once(await t.open({ stores: { ...t.stores, completions: { ...completions, history } } }))
    await until('the second step', async () => (await t.stores.workflows.load('shop-1-feature'))?.currentStep === 1)
    const [first] = await t.starts()
    const said = { project: 'shop', issueNumber: '1', status: 'complete' as const, summary: 'no answer', payload: {} }
    for (const record of [
      { ...said, agentType: 'triage', reportId: first?.attempt ?? null, payload: { again: true } },
      { ...said, agentType: 'developer', reportId: first?.attempt ?? null },
      { ...said, agentType: 'reviewer', reportId: null },
      { ...said, agentType: 'developer', status: 'in-progress' as const, reportId: null },
      { ...said, agentType: 'developer', reportId: 'drop:1000:ab' },
      { ...said, agentType: 'developer', reportId: null, payload: { step_id: 's1' } },
      { ...said, project: 'other', agentType: 'developer', reportId: null },
    ]) {
      await completions.save(record)
      const seen = looks
      await until('two more looks', () => looks >= seen + 2)
    }
    expect(await t.stores.workflows.load('shop-1-feature')).toMatchObject({ state: 'running', currentStep: 1 })
    await completions.save({ ...said, agentType: 'developer', reportId: null, summary: 'done by hand' })
    expect(await running).toBe('done')
    expect(await t.stores.workflows.load('shop-1-feature')).toMatchObject({
      data: { steps: [{ passes: [] }, { passes: [], report: { summary: 'done by hand' } }] },
    })
  })

  test('what agents cannot know stays unknown to them: the DSN is not in their environment', async () => {
    const t = bench()
    await t.configure({ triage: `env > environment.txt; exec ${byPost()}` })
    await enqueue('a.md', 'text')
    expect(await t.once()).toBe('done')
    const text = await readFile(join(t.workspace, 'environment.txt'), 'utf8')
    expect(text).toContain('NEXUS_STEP=s1')
    expect(text).not.toContain('NEXUS_STORAGE')
  })

  test('a person cancels a task at work: its agent is stopped and nothing runs any more', async () => {
    const t = bench()
    await t.configure({ triage: shell('gated.sh') })
    mkfifoSync(join(t.workspace, 'gate-s1'))
    const [task] = await enqueue('a.md', 'text')
    const running = t.once()
    await until('its run', async () => (await t.runner.list()).length === 1)
    const [attempt = ''] = await t.runner.list()
    await until('its start', async () => (await t.runner.observe(attempt)).status === 'running')
    expect(await t.stores.inbox.cancel(task?.id ?? '')).toEqual({ status: 'requested' })
    expect(await running).toBe('failed')
    expect(await t.stores.workflows.load('shop-1-feature')).toMatchObject({ state: 'cancelled' })
    expect(await t.runner.observe(attempt)).toMatchObject({ status: 'ended', exit: { reason: 'stopped' } })
    expect(await counts()).toMatchObject({ pending: 0, processing: 0, failed: 1 })
  })

  test('stores that cannot be reached for a while delay the work and lose nothing', async () => {
    const t = bench()
    await t.configure({ triage: byPost(), developer: byPost() })
    await enqueue('a.md', 'text')
    let down = false
    let refused = 0
    const flaky = <S extends object>(store: S): S =>
      new Proxy(store, {
        get(target, name) {
          const verb: unknown = Reflect.get(target, name)
          if (typeof verb !== 'function' || name === 'watch') return verb
          return (...given: unknown[]) => {
            if (!down) return Reflect.apply(verb, target, given)
            refused += 1
            return Promise.reject(new StoreError({ code: 'unavailable', message: 'down' }))
          }
        },
      })
    const { workflows, completions, hostState, taskFiles, inbox } = t.stores
    const stores: Backend = {
      ...t.stores,
      workflows: flaky(workflows),
      completions: flaky(completions),
      hostState: flaky(hostState),
      taskFiles: flaky(taskFiles),
      inbox: flaky(inbox),
    }
    const running = t.once(await t.open({ stores }))
    await until('the first agent', async () => (await t.starts()).length === 1)
    down = true
    await until(
      'its end',
      async () => (await t.runner.observe((await t.starts())[0]?.attempt ?? '')).status === 'ended',
    )
    await until('refusals', () => refused > 20)
    down = false
    expect(await running).toBe('done')
    expect(stepsOf(await t.starts(), '1')).toEqual(['s1', 's2'])
    expect(t.log.filter(({ message }) => message.startsWith('a store cannot be reached'))).toHaveLength(1)
    expect(await counts()).toMatchObject({ done: 1, failed: 0 })
    expect(t.log.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('a claim whose answer was lost is worked on all the same', async () => {
    const t = bench()
    await t.configure({ triage: byPost() })
    await enqueue('a.md', 'text')
    let lost = 0
    const claim: Backend['inbox']['claim'] = async (request, options) => {
      const tasks = await t.stores.inbox.claim(request, options)
      if (tasks.length === 0 || lost > 0) return tasks
      lost += 1
      throw new StoreError({ code: 'unavailable', outcome: 'unknown', message: 'the answer was lost' })
    }
    const host = await t.open({ stores: { ...t.stores, inbox: { ...t.stores.inbox, claim } } })
    const ended = new AbortController()
    const running = host.run({ once: false, signal: ended.signal })
    await until('done', async () => (await counts()).done === 1)
    ended.abort()
    expect(await running).toBe('stopped')
    expect({ lost, steps: stepsOf(await t.starts(), '1') }).toEqual({ lost: 1, steps: ['s1'] })
  })

  test('a workflow that cannot be read fails its task and no other', async () => {
    const t = bench()
    await t.configure({ triage: byPost() })
    await t.stores.workflows.save(
      {
        id: 'shop-7-feature',
        name: 'x',
        state: 'running',
        currentStep: 0,
        project: 'shop',
        issueNumber: '7',
        data: { steps: 3 },
      },
      { ifRev: null },
    )
    await enqueue('a.md', '**Issue:** 7', { maxAttempts: 1 })
    await enqueue('b.md', 'text')
    expect(await t.once()).toBe('failed')
    expect(await counts()).toMatchObject({ done: 1, failed: 1 })
    expect(await t.stores.workflows.load('shop-7-feature')).toMatchObject({ data: { steps: 3 } })
  })

  test('host state that is no object is left alone, and the work goes on', async () => {
    const t = bench()
    await t.configure({ triage: byPost() })
    await t.stores.hostState.save('tracked_issues', [1, 2])
    await t.stores.hostState.save('launched_agents', 7)
    await enqueue('a.md', 'text')
    expect(await t.once()).toBe('done')
    expect((await t.stores.hostState.load('tracked_issues'))?.value).toEqual([1, 2])
    expect((await t.stores.hostState.load('launched_agents'))?.value).toBe(7)
    const warned = t.log.filter(({ level }) => level === 'warn').map(({ fields }) => fields['key'])
    expect(warned.toSorted()).toEqual(['launched_agents', 'tracked_issues'])
  })
})
