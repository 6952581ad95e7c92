import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startCluster } from '@nexus/testkit/postgres'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseExposition, type Sample, sampleOf } from './exposition.ts'
import { mkfifoSync } from './fifo.ts'
import { agentPath } from './host-harness.ts'
import { type Program, type Running, start } from './program.ts'
import { until } from './until.ts'

/** The built one, whose parts share their errors: what an outage means is told by them. */
const program: Pick<Program, 'main'> = { main: fileURLToPath(new URL('../dist/main.js', import.meta.url)) }

let folder: string
let running: Running | null = null

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-metrics-'))
  // A server that runs as another account where we are root must be able to reach its data.
  await chmod(folder, 0o755)
  await mkdir(join(folder, 'shop'))
  mkfifoSync(join(folder, 'shop/gate-s1'))
  const agents = { triage: { command: ['sh', agentPath('progress.sh')] } }
  const steps = [{ id: 's1', agent_type: 'triage', prompt: 'x' }]
  const config = { projects: { shop: { workspace: './shop' } }, agents, workflows: { chain: { steps } } }
  await writeFile(join(folder, 'nexus.yaml'), JSON.stringify(config))
  await mkdir(join(folder, '.nexus/inbox/shop'), { recursive: true })
})
afterEach(async () => {
  running?.process.kill('SIGKILL')
  await running?.ended
  running = null
  await rm(folder, { recursive: true, force: true })
})

const drop = (name: string, markdown: string) => writeFile(join(folder, '.nexus/inbox/shop', name), markdown)
const openGate = () => writeFile(join(folder, 'shop/gate-s1'), 'go\n')

const run = async (env: Record<string, string> = {}): Promise<string> => {
  running = start(program, ['run'], { cwd: folder, env })
  return until('the address', () => {
    try {
      const { url, pid } = JSON.parse(readFileSync(join(folder, '.nexus/host/api.json'), 'utf8')) as Record<
        string,
        unknown
      >
      return pid === running?.process.pid ? String(url) : null
    } catch {
      return null
    }
  })
}

const scrape = async (url: string): Promise<Sample[]> => parseExposition(await (await fetch(`${url}/metrics`)).text())
const status = async (url: string, path: string): Promise<number> => (await fetch(`${url}${path}`)).status

/** Scrapes until the samples are as they should be: what needs a store is some seconds old at most. */
const untilSamples = (url: string, what: string, isSo: (samples: Sample[]) => boolean): Promise<Sample[]> =>
  until(what, async () => {
    const samples = await scrape(url)
    return isSo(samples) ? samples : null
  })

const processing = (samples: Sample[]) => sampleOf(samples, 'nexus_inbox_tasks', { status: 'processing' })
const done = (samples: Sample[]) => sampleOf(samples, 'nexus_inbox_tasks', { status: 'done' })

describe('/healthz, /readyz and /metrics of a host', () => {
  test('on files', async () => {
    const url = await run()
    await until('ready', async () => (await status(url, '/readyz')) === 200)
    expect(await status(url, '/healthz')).toBe(200)
    await drop('cart.md', 'text')
    const busy = await untilSamples(url, 'the task', (samples) => processing(samples) === 1)
    expect(sampleOf(busy, 'nexus_tasks_held')).toBe(1)
    await until('the agent', async () => sampleOf(await scrape(url), 'nexus_agents_running') === 1)
    await until(
      'its progress',
      async () => sampleOf(await scrape(url), 'nexus_reports_total', { result: 'progress' }) === 1,
    )
    await openGate()
    const over = await untilSamples(url, 'the end', (samples) => done(samples) === 1)
    expect(sampleOf(over, 'nexus_tasks_total', { project: 'shop', outcome: 'done' })).toBe(1)
    expect(sampleOf(over, 'nexus_reports_total', { result: 'answered' })).toBe(1)
    expect(sampleOf(over, 'nexus_step_seconds_count', { agent: 'triage' })).toBe(1)
    expect(sampleOf(over, 'process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
    for (const store of ['workflows', 'completions', 'hostState', 'taskFiles', 'inbox']) {
      expect(sampleOf(over, 'nexus_store_up', { store, backend: 'filesystem' })).toBe(1)
      expect(sampleOf(over, 'nexus_fallback', { store })).toBe(0)
    }
  })

  test('on postgres, which is stopped and started again', async () => {
    await using cluster = await startCluster({ dataDir: join(folder, 'postgres') })
    const url = await run({ NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: cluster.dsn })
    await until('ready', async () => (await status(url, '/readyz')) === 200)
    await drop('cart.md', '**Issue:** 7')
    await untilSamples(url, 'the task', (samples) => processing(samples) === 1)

    await cluster.stop()
    const { reasons, stores } = await until('not ready', async () => {
      const answer = await fetch(`${url}/readyz`)
      const body = (await answer.json()) as { reasons: string[]; stores: Record<string, string> }
      return answer.status === 503 && body.stores['inbox'] === 'down' ? body : null
    })
    expect(await status(url, '/healthz')).toBe(200)
    expect(stores).toEqual({
      workflows: 'down',
      completions: 'fallback',
      hostState: 'fallback',
      taskFiles: 'down',
      inbox: 'down',
    })
    expect(reasons.join('\n')).toMatch(/^workflows \(postgres\): /)
    const away = await untilSamples(
      url,
      'the errors',
      (samples) => (sampleOf(samples, 'nexus_scrape_errors_total', { reading: 'inbox' }) ?? 0) > 0,
    )
    expect(processing(away)).toBe(1)
    expect(sampleOf(away, 'nexus_store_up', { store: 'inbox' })).toBe(0)
    expect(sampleOf(away, 'nexus_fallback', { store: 'completions' })).toBe(1)
    expect(sampleOf(away, 'nexus_fallback', { store: 'inbox' })).toBe(0)

    await openGate()
    await untilSamples(url, 'the journal', (samples) => (sampleOf(samples, 'nexus_journal_operations') ?? 0) > 0)
    await cluster.start()
    await until('ready again', async () => (await status(url, '/readyz')) === 200)
    const back = await untilSamples(url, 'the end', (samples) => done(samples) === 1)
    expect(sampleOf(back, 'nexus_journal_operations')).toBe(0)
    expect(sampleOf(back, 'nexus_fallback', { store: 'completions' })).toBe(0)
    const password = new URL(cluster.dsn).password
    expect(password).not.toBe('')
    expect(JSON.stringify([reasons, back, away])).not.toContain(password)
  })
})
