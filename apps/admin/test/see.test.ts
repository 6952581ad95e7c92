import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openStores } from '../../host/proof/stores.ts'
import { currentProcess, formatIdentity } from '../../host/src/runner/index.ts'
import { Settings } from '../src/see/config.ts'
import { Status } from '../src/see/status.ts'
import { Top } from '../src/see/top.ts'
import { type Ground, grounds, jsonOf } from './admin.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** The program while it runs, and the lines that it prints. */
const begin = ({ folder, env }: Ground, args: readonly string[]) => {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env: { PATH: process.env['PATH'], ...env } })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    async line(): Promise<string> {
      const { value, done } = await lines.next()
      if (done) throw new Error('It printed nothing more.')
      return value
    },
    /** Ctrl-C; resolves with the exit code. */
    async end(): Promise<unknown> {
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      const [code] = await ended
      return code
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}

/** What everybody can read of a process and of those that it started. */
const commandLinesBelow = (pid: number): string[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return [
    readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
    ...children.flatMap((child) => commandLinesBelow(Number(child))),
  ]
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.')
  return address.port
}

const enqueue = async ({ env }: Ground, filename: string): Promise<void> => {
  await using stores = await openStores(env)
  await stores.inbox.enqueue([{ project: 'shop', filename, markdown: 'Do it.' }])
}

describe.each(Object.entries(grounds))('on %s', (kind, open) => {
  test('status tells the oldest due task and the conflicts; --watch tells what changes, and Ctrl-C ends it in order', async () => {
    await using ground = await open()
    await enqueue(ground, 'one.md')
    const status = jsonOf(Status, await ground.admin(['status', '--json']))
    expect(status).toMatchObject({ inbox: { pending: 1 }, conflicts: kind === 'files' ? null : 0, fallback: null })
    expect(Date.now() - Date.parse(status.oldest_due ?? '')).toBeLessThan(60_000)
    using watched = begin(ground, ['status', '--json', '--watch', '0.1'])
    const first = Status.parse(JSON.parse(await watched.line()))
    expect(first.inbox).toEqual({ pending: 1, processing: 0, done: 0, failed: 0 })
    await enqueue(ground, 'two.md')
    const second = Status.parse(JSON.parse(await watched.line()))
    expect(second.inbox).toEqual({ pending: 2, processing: 0, done: 0, failed: 0 })
    expect(await watched.end()).toBe(0)
  })

  test('top tells the queue by project, the agents with their steps and ages, and the hosts', async () => {
    await using ground = await open()
    const worker = formatIdentity(currentProcess())
    const entry = { host: worker, step_id: 'develop', agent_type: 'developer', project: 'shop', issue_number: '7' }
    const started = new Date(Date.now() - 3_600_000).toISOString()
    {
      await using stores = await openStores(ground.env)
      const task = (project: string, filename: string) => ({ project, filename, markdown: 'Do it.' })
      await stores.inbox.enqueue([task('shop', 'a.md'), task('shop', 'b.md'), task('blog', 'c.md')])
      await stores.inbox.claim({ worker, limit: 1, leaseMs: 60_000, projects: ['shop'] })
      await stores.hostState.save('launched_agents', { a1: { ...entry, started_at: started }, other: { pid: 4 } })
    }
    const top = jsonOf(Top, await ground.admin(['top', '--json']))
    expect(top).toMatchObject({
      inbox: { pending: 2, processing: 1, done: 0, failed: 0 },
      projects: [
        { project: 'blog', pending: 1, processing: 0 },
        { project: 'shop', pending: 1, processing: 1 },
      ],
      counted: true,
      agents: [{ attempt: 'a1', project: 'shop', issue: '7', step: 'develop', agent: 'developer', host_life: 'alive' }],
      hosts: [{ host: worker, tasks: 1 }],
    })
    expect(top.agents[0]?.started_at).toBe(started)
    const { status, stdout } = await ground.admin(['top', '--once'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^inbox {2}pending 2, processing 1, done 0, failed 0$/m)
    expect(stdout).toMatch(/^shop {5}1 {8}1$/m)
    expect(stdout).toMatch(/^shop\/7 {2}develop {2}developer {2}1h00m {2}\S+ \d+$/m)
  })
})

test('status: while the database is away, hosts answer two stores from the journal, which it tells', async () => {
  await using ground = await grounds.files()
  const env = { NEXUS_HOST_STATE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: 'postgresql://u:canary@127.0.0.1:1/x' }
  const ended = await ground.admin(['status', '--json'], { env })
  expect(ended.status).toBe(3)
  expect(jsonOf(Status, ended).fallback?.stores).toEqual(['hostState'])
  const { stdout } = await ground.admin(['status'], { env })
  expect(stdout).toMatch(/^fallback {3}hosts answer hostState from the journal since 20\S+Z$/m)
})

test('status --watch prints a block for a person as well, and refuses a time that is none', async () => {
  await using ground = await grounds.files()
  using watched = begin(ground, ['status', '--watch', '0.1'])
  expect(await watched.line()).toMatch(/^store +backend +decided by +health$/)
  expect(await watched.end()).toBe(0)
  const { status, stdout, stderr } = await ground.admin(['status', '--watch', 'often'])
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr: '--watch often: a number of seconds from 0.1 to 3600 is needed.\n',
  })
})

describe('config', () => {
  const settingOf = ({ settings }: Settings, name: string) => settings.find((setting) => setting.name === name)

  test('tells each value and where it came from, and no secret', async () => {
    await using ground = await grounds.files()
    const file = join(ground.folder, 'nexus.yaml')
    const yaml = 'projects: { shop: { workspace: . } }\nagents: { developer: { command: [node, --key, canary] } }\n'
    const steps = `workflows: { chain: { steps: [{ id: a, agent_type: developer, prompt: 'Do it.' }] } }\nconcurrency: 3\n`
    writeFileSync(file, yaml + steps)
    const env = {
      NEXUS_INBOX_BACKEND: 'both',
      NEXUS_STORAGE_DSN: 'postgresql://nexus:canary@db:5432/nexus?sslmode=require&sslpassword=canary',
    }
    const ended = await ground.admin(['config', '--json'], { env })
    expect(ended.stdout).not.toContain('canary')
    const settings = jsonOf(Settings, ended)
    expect(settings.root).toBe(ground.env['NEXUS_DIR'])
    expect(settingOf(settings, 'NEXUS_INBOX_BACKEND')).toEqual({
      name: 'NEXUS_INBOX_BACKEND',
      value: 'postgres',
      source: 'variable',
      from: 'NEXUS_INBOX_BACKEND',
    })
    expect(settingOf(settings, 'NEXUS_TASK_BACKEND')).toMatchObject({
      value: 'filesystem',
      source: 'default',
      from: null,
    })
    expect(settingOf(settings, 'NEXUS_STORAGE_DSN')).toMatchObject({
      value: 'postgresql://nexus:***@db:5432/nexus?sslmode=require&sslpassword=***',
      source: 'variable',
    })
    expect(settingOf(settings, 'concurrency')).toEqual({ name: 'concurrency', value: '3', source: 'file', from: file })
    expect(settingOf(settings, 'runs.keep_days')).toMatchObject({ value: '30', source: 'default', from: null })
    expect(settingOf(settings, 'agents.developer')).toMatchObject({ value: 'node …', source: 'file' })
    const { stdout } = await ground.admin(['config'], { env })
    expect(stdout).toMatch(/^NEXUS_INBOX_BACKEND +postgres +NEXUS_INBOX_BACKEND$/m)
    expect(stdout).not.toContain('canary')
  })

  test('a store that follows another variable names that one', async () => {
    await using ground = await grounds.files()
    const env = { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: 'postgresql://nexus:canary@db/nexus' }
    const settings = jsonOf(Settings, await ground.admin(['config', '--json'], { env }))
    expect(settingOf(settings, 'NEXUS_WORKFLOW_BACKEND')).toMatchObject({
      value: 'postgres',
      from: 'NEXUS_STORAGE_BACKEND',
    })
  })
})

describe('studio', () => {
  test('is refused where nothing is kept in PostgreSQL, with what to do', async () => {
    await using ground = await grounds.files()
    const { status, stdout, stderr } = await ground.admin(['studio'])
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' })
    expect(stderr).toMatch(
      /^Nothing is kept in PostgreSQL, .* Set NEXUS_STORAGE_BACKEND=postgres and NEXUS_STORAGE_DSN/,
    )
  })

  test('is a program of its own, on whose command line no DSN stands, and ends with it', async () => {
    await using ground = await grounds.postgres()
    const child = spawn(process.execPath, [main, 'studio', '--port', String(await freePort()), '--no-browser'], {
      cwd: ground.folder,
      env: { PATH: process.env['PATH'], HOME: ground.folder, ...ground.env },
    })
    try {
      const said = createInterface(child.stdout)
      let url = ''
      for await (const line of said) {
        url = /(http:\S+)/.exec(line)?.[1] ?? ''
        if (url !== '') break
      }
      expect(url).toMatch(/^http:\/\/\w+/)
      expect(commandLinesBelow(child.pid ?? 0).filter((line) => line.includes('postgresql:'))).toEqual([])
      expect(commandLinesBelow(child.pid ?? 0).join('\n')).toContain('prisma')
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      expect((await ended)[0]).toBe(0)
    } finally {
      child.kill('SIGKILL')
    }
  })
})
