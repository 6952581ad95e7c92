import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildProgram, type Program, start } from './program.ts'
import { until } from './until.ts'

interface Written {
  issue?: string
  project?: string
  output?: string
  older?: string
  ended?: boolean
  /** Seconds since 1970. */
  at?: number
}

describe('nexus-host logs', () => {
  let program: Program
  let root: string

  beforeAll(async () => {
    program = await buildProgram()
  })
  afterAll(() => program[Symbol.asyncDispose]())
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'nexus logs '))
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  /** The folder of a run, as a supervisor leaves it. */
  const writeRun = async (attempt: string, written: Written = {}): Promise<string> => {
    const { issue = '12', project = 'shop', output = 'hello\n', older, ended = true, at = 1_000 } = written
    const folder = join(root, 'runs', attempt)
    await mkdir(folder, { recursive: true })
    const write = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value))
    const env = { NEXUS_ISSUE: issue, NEXUS_PROJECT: project, NEXUS_STEP: 'develop', NEXUS_AGENT: 'developer' }
    await write('spec.json', { attempt, env })
    await utimes(join(folder, 'spec.json'), at, at)
    await write('started', { hostId: 'elsewhere', bootId: null, pid: 1, startTime: '1', startedAt: '2026-01-01' })
    await writeFile(join(folder, 'output.log'), output)
    if (older !== undefined) await writeFile(join(folder, 'output.log.1'), older)
    if (ended) await end(folder)
    return folder
  }

  /** Whole at once, as a supervisor does it: somebody may be following. */
  const end = async (folder: string) => {
    const exit = { code: 3, signal: null, reason: 'exited', endedAt: '2026-01-02' }
    await writeFile(join(folder, 'exit.json.tmp'), JSON.stringify(exit))
    await rename(join(folder, 'exit.json.tmp'), join(folder, 'exit.json'))
  }

  const run = (...args: string[]) => start(program, ['logs', ...args], { cwd: root, env: { NEXUS_DIR: root } })

  test('prints what the newest run of an issue said, the older part first, and names the others', async () => {
    await writeRun('at-00000001', { at: 1_000 })
    await writeRun('at-00000002', { at: 2_000, older: 'one\n', output: 'two\n' })
    await writeRun('at-00000003', { at: 3_000, issue: '13' })
    const { code, stdout, stderr } = await run('12').ended
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'one\ntwo\n' })
    expect(stderr).toBe(
      'run at-00000002 · shop issue 12 · step develop (developer) · ended 2026-01-02, exited: with exit code 3\nearlier runs: at-00000001\n',
    )
  })

  test('prints one attempt by its name', async () => {
    await writeRun('at-00000001', { output: 'first\n', at: 1_000 })
    await writeRun('at-00000002', { output: 'second\n', at: 2_000 })
    expect(await run('at-00000001').ended).toMatchObject({ code: 0, stdout: 'first\n' })
  })

  test('--json gives the run, its output line by line, and its end', async () => {
    await writeRun('at-00000001', { output: 'one\ngrün\nno end' })
    const { stdout } = await run('12', '--json').ended
    const records = stdout.trimEnd().split('\n')
    expect(records.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ type: 'run', attempt: 'at-00000001', project: 'shop', issue: '12', status: 'ended' }),
      { type: 'output', text: 'one' },
      { type: 'output', text: 'grün' },
      { type: 'output', text: 'no end' },
      expect.objectContaining({ type: 'end', attempt: 'at-00000001', reason: 'exited', code: 3 }),
    ])
  })

  test('--follow goes on through a rotation and ends when the run does', async () => {
    const folder = await writeRun('at-00000001', { output: 'one\n', ended: false })
    const following = run('12', '--follow')
    let seen = ''
    following.process.stdout?.on('data', (chunk) => {
      seen += String(chunk)
    })
    await until('the first line', () => seen === 'one\n')
    await writeFile(join(folder, 'output.log'), '')
    await writeFile(join(folder, 'output.log.1.tmp'), 'one\ntwo\n')
    await rename(join(folder, 'output.log.1.tmp'), join(folder, 'output.log.1'))
    await until('what was put aside', () => seen === 'one\ntwo\n')
    await writeFile(join(folder, 'output.log'), 'three\n')
    await until('the next line', () => seen === 'one\ntwo\nthree\n')
    await end(folder)
    const { code, stderr } = await following.ended
    expect(code).toBe(0)
    expect(stderr).toContain('exited: with exit code 3')
  })

  test('without --follow a run at work is printed as far as it is', async () => {
    await writeRun('at-00000001', { output: 'one\n', ended: false })
    const { code, stdout, stderr } = await run('12').ended
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'one\n' })
    expect(stderr).toContain('· running')
  })

  test('an issue of several projects needs its project: exit 2 says which there are', async () => {
    await writeRun('at-00000001', { project: 'shop', output: 'of shop\n' })
    await writeRun('at-00000002', { project: 'blog', output: 'of blog\n' })
    const { code, stderr } = await run('12').ended
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'Issue 12 has runs in blog, shop. Say which: --project blog\n',
    })
    expect(await run('12', '--project', 'shop').ended).toMatchObject({ code: 0, stdout: 'of shop\n' })
  })

  test('what has no run is an error that says where was looked', async () => {
    await writeRun('at-00000001')
    const { code, stderr } = await run('99').ended
    expect(code).toBe(1)
    expect(stderr).toContain(`There is no run of issue or attempt 99 below ${root}.`)
  })

  test('a folder that is no run, or cannot be read, hides no other', async () => {
    await mkdir(join(root, 'runs', 'at-00000009'), { recursive: true })
    await writeFile(join(root, 'runs', 'at-00000009', 'spec.json'), '{"cut')
    await mkdir(join(root, 'runs', 'at-00000008'))
    await writeRun('at-00000001')
    expect(await run('12').ended).toMatchObject({ code: 0, stdout: 'hello\n' })
  })
})
