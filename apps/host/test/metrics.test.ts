import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { completionPath } from '../src/api/app.ts'
import { openTokens } from '../src/api/tokens.ts'
import { createMetrics } from '../src/telemetry/metrics.ts'
import { createStorageReadings, plainStorage } from '../src/telemetry/storage.ts'
import { parseExposition, type Sample, sampleOf } from './exposition.ts'
import { agentPath, useBench } from './host-harness.ts'

describe('GET /metrics', () => {
  const bench = useBench()
  const shell = (name: string) => `sh ${agentPath(name)}`
  const scrape = async (url: string): Promise<Sample[]> => {
    const answer = await fetch(`${url}/metrics`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    return parseExposition(await answer.text())
  }

  test('tells of the inbox, and of what was done with its tasks', async () => {
    const t = bench()
    await t.configure({ triage: shell('by-file.sh'), developer: `node ${agentPath('by-post.mjs')}` })
    const host = await t.open()
    const later = new Date(t.context.clock.now() + 3_600_000)
    await t.stores.inbox.enqueue([
      { project: 'shop', filename: 'a.md', markdown: 'a' },
      { project: 'shop', filename: 'b.md', markdown: 'b' },
      { project: 'shop', filename: 'later.md', markdown: 'later', runAt: later },
    ])
    expect(await t.once(host)).toBe('done')

    const samples = await scrape(host.api.url)
    const value = (name: string, labels?: Record<string, string>) => sampleOf(samples, name, labels)
    expect(['pending', 'processing', 'done', 'failed'].map((status) => value('nexus_inbox_tasks', { status }))).toEqual(
      [1, 0, 2, 0],
    )
    expect(value('nexus_inbox_oldest_age_seconds')).toBe(0)
    expect(value('nexus_tasks_total', { project: 'shop', outcome: 'done' })).toBe(2)
    expect(value('nexus_tasks_held')).toBe(0)
    expect(value('nexus_agents_running')).toBe(0)
    expect(value('nexus_step_seconds_count', { agent: 'triage' })).toBe(2)
    expect(value('nexus_step_seconds_bucket', { agent: 'developer', le: '+Inf' })).toBe(2)
    expect(value('nexus_step_seconds_bucket', { agent: 'developer', le: '60' })).toBe(2)
    expect(value('nexus_step_retries_total')).toBe(0)
    expect(value('nexus_reports_total', { result: 'answered' })).toBe(4)
    expect(value('nexus_journal_operations')).toBe(0)
    expect(value('nexus_build_info')).toBe(1)
    // The process is measured by the program alone: it cannot be undone.
    expect(value('process_cpu_seconds_total')).toBeNull()
  })

  test('the oldest task that is due has an age', async () => {
    const t = bench()
    await t.configure({ triage: shell('by-file.sh') })
    const host = await t.open()
    const runAt = new Date(t.context.clock.now() - 60_000)
    await t.stores.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown: 'a', runAt }])
    const age = sampleOf(await scrape(host.api.url), 'nexus_inbox_oldest_age_seconds')
    expect(age).toBeGreaterThanOrEqual(60)
    expect(age).toBeLessThan(120)
  })

  test('a failed step is retried, and both are counted', async () => {
    const t = bench()
    await t.configure({ triage: shell('crash-once.sh') })
    const host = await t.open()
    await t.stores.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown: 'a' }])
    expect(await t.once(host)).toBe('done')
    const samples = await scrape(host.api.url)
    expect(sampleOf(samples, 'nexus_tasks_total', { outcome: 'retrying' })).toBe(1)
    expect(sampleOf(samples, 'nexus_tasks_total', { outcome: 'done' })).toBe(1)
    expect(sampleOf(samples, 'nexus_step_retries_total')).toBe(1)
    expect(sampleOf(samples, 'nexus_step_seconds_count', { agent: 'triage' })).toBe(2)
  })

  test('reports are told apart as they come in', async () => {
    const t = bench()
    await t.configure({ triage: shell('by-file.sh') })
    const host = await t.open()
    const headers = { Authorization: `Bearer ${(await openTokens(t.root)).forAttempt('host')}` }
    const post = (body: object) =>
      fetch(`${host.api.url}${completionPath}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const report = { issue_number: 5, agent_type: 'triage', summary: 'seen', project: 'shop' }
    await post(report)
    await post({ ...report, status: 'in-progress' })
    await post({ ...report, issue_number: '../5' })
    const samples = await scrape(host.api.url)
    expect(
      ['answered', 'progress', 'not_counted', 'refused'].map((result) =>
        sampleOf(samples, 'nexus_reports_total', { result }),
      ),
    ).toEqual([0, 1, 1, 1])
  })

  test('labels have as many values as there are projects and agents, whatever tasks and steps name', async () => {
    const t = bench()
    const inbox = { ...t.stores.inbox, counts: () => Promise.reject(new Error('gone')) }
    const metrics = createMetrics({
      config: { projects: new Map(), agents: new Map() },
      version: '1.2.3',
      clock: t.context.clock,
      readings: createStorageReadings({ storage: plainStorage, inbox, clock: t.context.clock }),
      fallsBack: [],
      holds: new Map(),
      withProcess: true,
    })
    for (const name of ['a', 'b', 'c"\n']) {
      metrics.taskEnded(name, 'done')
      metrics.stepEnded(name, 5)
    }
    const samples = parseExposition(await metrics.text())
    expect(sampleOf(samples, 'nexus_tasks_total')).toBe(3)
    expect(sampleOf(samples, 'nexus_tasks_total', { project: 'other', outcome: 'done' })).toBe(3)
    expect(sampleOf(samples, 'nexus_step_seconds_sum', { agent: 'other' })).toBe(15)
    expect(sampleOf(samples, 'nexus_build_info', { version: '1.2.3' })).toBe(1)
    expect(sampleOf(samples, 'nexus_fuse_blown')).toBeNull()
    // Never read: nothing is said of it, but that it could not be.
    expect(sampleOf(samples, 'nexus_inbox_oldest_age_seconds')).toBeNull()
    expect(sampleOf(samples, 'nexus_scrape_errors_total', { reading: 'inbox' })).toBe(1)
    expect(sampleOf(samples, 'process_cpu_seconds_total')).toBeGreaterThan(0)
  })

  test('the operations page names each metric, and no other', async () => {
    const t = bench()
    await t.configure({ triage: shell('by-file.sh') })
    const host = await t.open()
    const text = await (await fetch(`${host.api.url}/metrics`)).text()
    const told = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name)
    const page = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
    const named = [...page.matchAll(/`(nexus_[a-z_]+)(?=[`{])/g)].map(([, name]) => name)
    const tables = ['nexus_conflicts', 'nexus_quarantine']
    expect([...new Set(named)].filter((name) => !tables.includes(name ?? '')).sort()).toEqual([...told].sort())
  })
})
