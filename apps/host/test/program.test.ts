import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { mkfifoSync } from './fifo.ts'
import { agentPath } from './host-harness.ts'
import { buildProgram, type Program, type Running, start } from './program.ts'
import { until } from './until.ts'

let program: Program
let folder: string
let started: Running[] = []

beforeAll(async () => {
  program = await buildProgram()
})
afterAll(() => program[Symbol.asyncDispose]())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-program-'))
  await mkdir(join(folder, 'shop'))
})
afterEach(async () => {
  for (const { process } of started) process.kill('SIGKILL')
  await Promise.all(started.map(({ ended }) => ended))
  started = []
  await rm(folder, { recursive: true, force: true })
})

const host = (args: readonly string[], more: { env?: Record<string, string>; input?: string } = {}): Running => {
  const running = start(program, args, { cwd: folder, ...more })
  started.push(running)
  return running
}

const read = (path: string): string => {
  try {
    return readFileSync(join(folder, path), 'utf8')
  } catch {
    return ''
  }
}
const list = (path: string): string[] => (existsSync(join(folder, path)) ? readdirSync(join(folder, path)) : [])
const json = (path: string): Record<string, unknown> => JSON.parse(read(path)) as Record<string, unknown>
const startedSteps = (): string[] =>
  read('shop/starts.log')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ')[3] ?? '')

const configure = async (first = 'by-file.sh') => {
  const shell = (name: string) => `sh ${agentPath(name)}`
  const agents = {
    triage: { command: shell(first) },
    developer: { command: ['node', agentPath('by-post.mjs')] },
    reviewer: { command: shell('by-file.sh') },
  }
  const steps = Object.keys(agents).map((role, index) => ({ id: `s${index + 1}`, agent_type: role, prompt: role }))
  const text = { projects: { shop: { workspace: './shop' } }, agents, workflows: { chain: { steps } } }
  await writeFile(join(folder, 'nexus.yaml'), JSON.stringify(text))
}

const drop = async (name: string, markdown: string) => {
  await mkdir(join(folder, '.nexus/inbox/shop'), { recursive: true })
  await writeFile(join(folder, '.nexus/inbox/shop', name), markdown)
}

describe('nexus-host run', () => {
  test('--once takes a file that somebody just wrote to its end, and exits 0', async () => {
    await configure()
    await drop('cart.md', 'The cart is empty.')
    const { code, stdout, stderr } = await host(['run', '--once']).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n').filter((line) => line.includes('"msg":"store"'))).toHaveLength(5)
    expect(json('.nexus/workflows/shop-1-feature.json')).toMatchObject({ state: 'completed', issue_number: '1' })
    expect(list('.nexus/tasks/shop/closed')).toEqual(['cart.md'])
    expect(startedSteps()).toEqual(['s1', 's2', 's3'])
  })

  test('--once exits 3 when a task fails', async () => {
    await configure('crash.sh')
    await drop('cart.md', 'text')
    expect((await host(['--once']).ended).code).toBe(3)
  })

  const moments: [string, () => boolean][] = [
    ['the task is claimed', () => list('.nexus/inbox/shop').filter((name) => name.endsWith('.md')).length === 0],
    ['the task file is there', () => list('.nexus/tasks/shop/active').length > 0],
    ['the workflow is there', () => existsSync(join(folder, '.nexus/workflows/shop-1-feature.json'))],
    ['an agent is prepared', () => list('.nexus/runs').length > 0],
    ['an agent is at work', () => startedSteps().length > 0],
    ['a report is written', () => list('.nexus/tasks/shop/completions').some((name) => name.startsWith('completion_'))],
    ['the second agent is at work', () => startedSteps().includes('s2')],
    ['the last agent is at work', () => startedSteps().includes('s3')],
    ['the workflow is completed', () => read('.nexus/workflows/shop-1-feature.json').includes('"state": "completed"')],
  ]
  test.each(moments)('killed the moment %s, the next one finishes with one attempt per step', async (_, reached) => {
    await configure()
    await drop('cart.md', 'text')
    const first = host(['run'])
    await until('the moment', reached)
    first.process.kill('SIGKILL')
    await first.ended

    const { code, stderr } = await host(['run', '--once']).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(startedSteps()).toEqual(['s1', 's2', 's3'])
    expect(list('.nexus/runs')).toHaveLength(3)
    expect(list('.nexus/tasks/shop/closed')).toEqual(['cart.md'])
    expect(list('.nexus/tasks/shop/active')).toEqual([])
    expect(json('.nexus/workflows/shop-1-feature.json')).toMatchObject({ state: 'completed' })
    expect(list('.nexus/workflows').filter((name) => name.endsWith('.json'))).toEqual(['shop-1-feature.json'])
  })

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends it within two seconds, with 0, and its agent goes on',
    async (signal) => {
      await configure('gated.sh')
      mkfifoSync(join(folder, 'shop/gate-s1'))
      await drop('cart.md', 'text')
      const first = host(['run'])
      await until('the agent', () =>
        list('.nexus/runs').some((name) => existsSync(join(folder, '.nexus/runs', name, 'agent'))),
      )
      const asked = performance.now()
      first.process.kill(signal)
      expect((await first.ended).code).toBe(0)
      expect(performance.now() - asked).toBeLessThan(2_500)

      const second = host(['run', '--once'])
      await writeFile(join(folder, 'shop/gate-s1'), 'go\n')
      expect((await second.ended).code).toBe(0)
      expect(startedSteps()).toEqual(['s1', 's2', 's3'])
    },
  )

  test('add puts a task from standard input into the inbox', async () => {
    await configure()
    const added = await host(['add', 'shop', 'cart.md'], { input: 'The cart is empty.' }).ended
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^enqueued \S+\n$/) })
    expect((await host(['--once']).ended).code).toBe(0)
  })
})

describe('mistakes are answered with one message and no stack', () => {
  test.each<[string, string[], Record<string, string>, number, string]>([
    ['a backend', [], { NEXUS_STORAGE_BACKEND: 'redis' }, 78, 'NEXUS_STORAGE_BACKEND=redis: unknown backend.'],
    ['no DSN', [], { NEXUS_STORAGE_BACKEND: 'postgres' }, 78, 'NEXUS_STORAGE_DSN is not set'],
    ['no nexus.yaml', ['--config', 'none.yaml'], {}, 78, 'none.yaml cannot be read.'],
    ['an option', ['--twice'], {}, 2, "unknown option '--twice'"],
    ['a command', ['walk'], {}, 2, "unknown command 'walk'"],
    ['an empty task', ['add', 'shop'], {}, 2, 'The task is empty'],
    ['a project key', ['add', '../etc'], {}, 2, 'The project key "../etc"'],
  ])('%s', async (_, args, env, code, message) => {
    await configure()
    const input = args[1] === '../etc' ? 'text' : ''
    const ended = await host(args, { env, input }).ended
    expect(ended.code).toBe(code)
    expect(ended.stderr).toContain(message)
    expect(ended.stderr).not.toMatch(/^\s+at /m)
  })

  test('--help shows examples and exits 0', async () => {
    for (const args of [
      ['--help'],
      ['init', '--help'],
      ['check', '--help'],
      ['run', '--help'],
      ['demo', '--help'],
      ['add', '--help'],
    ]) {
      const { code, stdout } = await host(args).ended
      expect(code).toBe(0)
      expect(stdout).toContain(args.length === 1 ? 'Commands:' : 'Examples:')
    }
  })
})

describe('nexus-host demo', () => {
  test('--once shows the storage map, carries the example to its end and exits 0', async () => {
    const { code, stdout, stderr } = await host(['demo', '--once']).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^store +backend +decided by +health\nworkflows +filesystem +default +ok\n/)
    expect(stdout.match(/step reported/g)).toHaveLength(3)
    expect(stdout).toContain('task done')
    const [root = ''] = list('.demo')
    expect(read(`.demo/${root}/demo/workspace/result.txt`)).toContain('friendly hello')
  })

  test('keeps watching, takes a task dropped as it says, and stops on Ctrl-C', async () => {
    const running = host(['demo'], { env: { NEXUS_DIR: 'here' } })
    let out = ''
    running.process.stdout?.on('data', (chunk) => {
      out += String(chunk)
    })
    const line = await until('what to try', () => /^Your own task +(echo .*)$/m.exec(out)?.[1])
    execFileSync('sh', ['-c', line], { cwd: folder })
    await until('the second task', () => out.match(/task done/g)?.length === 2)
    running.process.kill('SIGINT')
    expect((await running.ended).code).toBe(0)
  })

  test('--embedded-postgres keeps everything in a server of its own, and stops it last', async () => {
    // The server runs as an unprivileged account where we are root, which must be able to reach its data.
    await chmod(folder, 0o755)
    const running = host(['demo', '--embedded-postgres'])
    let out = ''
    running.process.stdout?.on('data', (chunk) => {
      out += String(chunk)
    })
    const line = await until('what to try', () => /^Your own task +(echo .*)$/m.exec(out)?.[1], 40_000)
    expect(out).toMatch(/^inbox +postgres +NEXUS_STORAGE_BACKEND +ok$/m)
    execFileSync('sh', ['-c', line.replace('apps/host/dist/main.js', program.main)], { cwd: folder })
    await until('the second task', () => out.match(/task done/g)?.length === 2)
    running.process.kill('SIGINT')
    expect((await running.ended).code).toBe(0)
    expect(list('.demo/on-postgres/workflows')).toEqual([])
    expect(existsSync(join(folder, '.demo/postgres/data/postmaster.pid'))).toBe(false)
  })

  test("--agent puts a command of one's own on every step", async () => {
    const { code } = await host(['demo', '--once', '--agent', `sh ${agentPath('by-file.sh')}`], {
      env: { NEXUS_DIR: 'here' },
    }).ended
    expect(code).toBe(0)
    expect(read('here/demo/workspace/starts.log').trim().split('\n')).toHaveLength(3)
  })
})
