import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readProcess } from '../src/runner/process-table.ts'
import { mkfifoSync } from './fifo.ts'
import { agentPath, type Bench, useBench } from './host-harness.ts'
import { until } from './until.ts'

const byFile = `sh ${agentPath('by-file.sh')}`

describe('every end of an agent', () => {
  const bench = useBench()
  const enqueue = () =>
    bench().stores.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown: '**Issue:** 5', maxAttempts: 1 }])
  const failure = async () => (await bench().stores.inbox.list()).items[0]?.error

  test.each([
    ['without a report', 'echo nothing; exit 0', /ended \(exited: with exit code 0\) without a report/],
    ['by a signal', 'kill -SEGV $$', /ended \(exited: by SIGSEGV\) without a report/],
    [
      'never, until its time is up',
      { command: 'trap "" TERM; while :; do sleep 600; done', timeout_seconds: 0.5 },
      /ended \(timeout: still running after 500 ms\) without a report/,
    ],
    [
      'before it began',
      { command: ['no-such-program'] },
      /ended \(spawn-failed: command not found: no-such-program\) without a report/,
    ],
  ])('%s: the task says so, and where the output is', async (_, triage, message) => {
    const t = bench()
    await t.configure({ triage, developer: byFile })
    await enqueue()
    expect(await t.once()).toBe('failed')
    expect(await failure()).toMatch(message)
    expect(await failure()).toMatch(/Its output: runs\/at-[0-9a-z-]+\/output\.log$/)
    expect(await t.starts()).toEqual([])
  })

  test('a report without an end: it may linger, then it and what it left in another session are ended before the next step', async () => {
    const t = bench()
    // A zombie has ended: pid 1 of a container may never ask for it.
    const gone = `for pid in $(cat stay.log); do grep -qs '^State:.[^ZX]' /proc/$pid/status && echo $pid >> alive.log; done; `
    await t.configure({ triage: `exec sh ${agentPath('report-and-stay.sh')}`, developer: gone + byFile })
    await enqueue()
    expect(await t.once()).toBe('done')
    const pids = (await readFile(join(t.workspace, 'stay.log'), 'utf8')).trim().split('\n').map(Number)
    expect(pids).toHaveLength(2)
    for (const pid of pids) expect(readProcess(pid)?.ended ?? true).toBe(true)
    await expect(readFile(join(t.workspace, 'alive.log'))).rejects.toThrow('ENOENT')
    expect((await t.starts()).map(({ step }) => step)).toEqual(['s1', 's2'])
  })

  test('already over and reported when the next host comes: it is not started again', async () => {
    const t = bench()
    await t.configure({ triage: `sh ${agentPath('gated.sh')}`, developer: byFile })
    mkfifoSync(join(t.workspace, 'gate-s1'))
    await enqueue()
    const host = await t.open()
    const stop = new AbortController()
    const stopped = host.run({ once: false, signal: stop.signal })
    await until('the agent', async () => (await t.runner.list()).length === 1)
    const [attempt = ''] = await t.runner.list()
    await until('its start', async () => (await t.runner.observe(attempt)).status === 'running')
    stop.abort()
    expect(await stopped).toBe('stopped')
    await writeFile(join(t.workspace, 'gate-s1'), 'go\n')
    await until('its end', async () => (await t.runner.observe(attempt)).status === 'ended')
    expect(await t.once(await t.open())).toBe('done')
    expect((await t.starts()).map(({ step }) => step)).toEqual(['s1', 's2'])
  })

  test.each([
    ['was deleted', (t: Bench) => t.stores.workflows.delete('shop-5-feature')],
    [
      'no longer has steps that can be read',
      (t: Bench) => {
        const workflow = { id: 'shop-5-feature', name: 'chain', state: 'running', currentStep: 0, data: {} }
        return t.stores.workflows.save({ ...workflow, project: 'shop', issueNumber: '5' })
      },
    ],
  ])('at work for a workflow that %s: it is ended before the task fails', async (_, spoil) => {
    const t = bench()
    await t.configure({ triage: 'exec sleep 600' })
    await enqueue()
    const over = t.once(await t.open())
    await until('the agent', async () => (await t.runner.list()).length === 1)
    const [attempt = ''] = await t.runner.list()
    await until('its start', async () => (await t.runner.observe(attempt)).status === 'running')
    await spoil(t)
    expect(await over).toBe('failed')
    expect(await t.runner.observe(attempt)).toMatchObject({ status: 'ended' })
    expect((await t.stores.hostState.load('tracked_issues'))?.value).toMatchObject({ 5: { status: 'failed' } })
    expect((await t.stores.hostState.load('launched_agents'))?.value).toEqual({})
  })
})
