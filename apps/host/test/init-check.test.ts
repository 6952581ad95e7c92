import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checkText } from '../src/check/text.ts'
import { buildProgram, type Program, start } from './program.ts'

let program: Program
let folder: string

beforeAll(async () => {
  program = await buildProgram()
})
afterAll(() => program[Symbol.asyncDispose]())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus-init-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const host = (args: readonly string[], env: Record<string, string> = {}) =>
  start(program, args, { cwd: folder, env }).ended
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)

describe('nexus-host init', () => {
  test('writes a nexus.yaml that passes check without a word, makes the workspace, and says what to do next', async () => {
    const { code, stdout, stderr } = await host(['init', '--agent', "sh -c 'cat > task.txt'"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Wrote nexus\.yaml and made workspace\.\n\nNext:\n/)
    expect(existsSync(join(folder, 'workspace'))).toBe(true)
    expect(read('nexus.yaml')).toContain("developer: { command: sh -c 'cat > task.txt' }")

    const checked = await host(['check'])
    expect(checked.stdout).toMatch(/\nnexus\.yaml: 0 errors, 0 warnings\n$/)
    expect(checked.code).toBe(0)
    expect(stdout.match(/^ {4}.*$/gm)).toEqual([
      `    node ${program.main} check`,
      `    echo 'Write a haiku about queues.' | node ${program.main} add my-project haiku.md`,
      `    node ${program.main} run`,
    ])
  })

  test('of the programs with a preset it takes the one that is here', async () => {
    mkdirSync(join(folder, 'bin'))
    writeFileSync(join(folder, 'bin', 'gemini'), '#!/bin/sh\n', { mode: 0o755 })
    await host(['init'], { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` })
    expect(read('nexus.yaml')).toContain('developer: { preset: gemini }')
  })

  test('overwrites nothing: with --force it puts aside what is there', async () => {
    write('nexus.yaml', 'mine: 1\n')
    const refused = await host(['init'])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toBe(
      'nexus.yaml is there already. Look at it with check, or add --force: that puts it aside as nexus.yaml.old.\n',
    )
    expect(read('nexus.yaml')).toBe('mine: 1\n')
    expect(existsSync(join(folder, 'workspace'))).toBe(false)

    write('nexus.yaml.old', 'older: 1\n')
    const forced = await host(['init', '--force', '--agent', 'true'])
    expect(forced.stdout).toContain('What was there is nexus.yaml.old-2 now.')
    expect([read('nexus.yaml.old'), read('nexus.yaml.old-2')]).toEqual(['older: 1\n', 'mine: 1\n'])
  })

  test('--dir makes the folder and names the file in what to do next', async () => {
    const { stdout } = await host(['init', '--dir', './my team', '--agent', 'true'])
    expect(stdout).toContain(`check --config 'my team/nexus.yaml'`)
    expect((await host(['check', '--config', 'my team/nexus.yaml'])).code).toBe(0)
  })
})

const release = `apiVersion: nexus/v1
kind: Workflow
metadata: { name: release, version: 2 }
steps:
  - { id: build, agent: developer, colour: red }
  - { id: publish, agent: developer, on_success: nowhere }
`

const config = (more: string): string => `projects:
  shop: { workspace: ., workflow: chain, tiers: { bug: full }, concurrency: 2, issue_prefix: SHOP- }
agents:
  developer: { command: [sh, -c, 'true'] }
  reviewer: { command: 'no-such-program --now' }
workflows:
  chain:
    steps:
      - { id: develop, agent_type: developer }
      - { id: fork, parallel: [look, test] }
      - { id: look, agent_type: reviewer, condition: 'urgent' }
      - { id: test, agent_type: developer }
      - id: decide
        agent_type: router
        routes:
          - { when: "verdict == 'again'", then: develop }
          - { default: ${more} }
`

describe('nexus-host check', () => {
  test('what a person reads is coloured on a terminal alone, and cut to its width', () => {
    const agent = { role: 'dev', command: ['x'.repeat(99)], prompt: 'stdin', program: 'x', found: '/bin/x' }
    const problem = { severity: 'error', file: 'a.yaml', line: 2, column: 3, member: 'b', message: 'wrong.' } as const
    const overview = { projects: [], agents: [agent], concurrency: 4 }
    const view = { file: 'a.yaml', overview, storage: null, problems: [problem] }
    const plain = checkText(view, { color: false, width: null })
    expect(plain).toContain(`command  ${'x'.repeat(99)}\n`)
    expect(plain).toContain('\nerror a.yaml:2:3: b: wrong.\n')
    expect(plain).not.toContain('\u001b')
    const narrow = checkText(view, { color: true, width: 40 })
    expect(narrow).toContain('\u001b[31merror\u001b[39m a.yaml:2:3: b: wrong.')
    expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(40)
  })

  test('says what would run, and where things are kept', async () => {
    write('nexus.yaml', config('end'))
    const { code, stdout } = await host(['check'])
    expect(stdout).toBe(
      `Projects
  shop
    workspace  ${folder}
    at a time  2
    issues     SHOP-1, SHOP-2, …
    type       bug: full
    chain for full, shortened, fast-track
      1. develop (developer)
         → fork
      2. fork (no agent; with look, test)
         → decide
      3. look (reviewer; beside fork; if urgent)
      4. test (developer; beside fork)
      5. decide (no agent)
         → develop, when verdict == 'again'
         → end

Agents
  developer
    command  sh -c true
    program  /usr/bin/sh
    prompt   stdin
  reviewer
    command  no-such-program --now
    program  no-such-program is not found on PATH
    prompt   stdin

Kept in
  workflows    filesystem (default)
  completions  filesystem (default)
  hostState    filesystem (default)
  taskFiles    filesystem (default)
  inbox        filesystem (default)
  root         ${folder}/.nexus

warning nexus.yaml agents.reviewer: the program no-such-program is not found. Install it, add it to PATH, or change the command.

nexus.yaml: 0 errors, 1 warning
`.replace('/usr/bin/sh', (/program {2}(\/\S+)/.exec(stdout) ?? [])[1] ?? '?'),
    )
    expect(code).toBe(0)
  })

  test('says all that is wrong at once, each with its own file and place, and exits 78', async () => {
    write('release.yaml', release)
    write('nexus.yaml', `${config('relaese')}  release: ./release.yaml\nconcurency: 3\n`)
    const { code, stdout } = await host(['check'], { NEXUS_STORAGE_BACKEND: 'redis' })
    expect(stdout.split('\n')).toEqual([
      'error environment: NEXUS_STORAGE_BACKEND=redis: unknown backend. Use filesystem or postgres (aliases: fs, file, postgresql, database).',
      'error nexus.yaml:17:15: workflows.chain.steps[4].routes[1].default: there is no step "relaese", and no workflow of that name. Did you mean "release"?',
      'error nexus.yaml:19:1: concurency: unknown member. Did you mean "concurrency"?',
      'error release.yaml:6:38: steps[1].on_success: there is no step "nowhere", and no workflow of that name. Known: build, publish.',
      'warning release.yaml:5:36: steps[0].colour: unknown member: it means nothing to the host; the agent is told.',
      '',
      'nexus.yaml: 4 errors, 1 warning',
      '',
    ])
    expect(code).toBe(78)
  })

  test('--json says the same to a program', async () => {
    write('nexus.yaml', config('end'))
    const good = await host(['check', '--json'])
    expect(good.code).toBe(0)
    const said = JSON.parse(good.stdout)
    expect(said).toMatchObject({ version: 1, ok: true, overview: { projects: [{ key: 'shop' }], concurrency: 4 } })
    expect(said.overview.projects[0].workflows[0].lists[0].steps[4].arrows).toEqual([
      { to: 'develop', by: 'route', when: "verdict == 'again'" },
      { to: 'end', by: 'route', when: null },
    ])
    expect(said.problems).toMatchObject([{ severity: 'warning', member: 'agents.reviewer' }])

    write('nexus.yaml', 'projects: [')
    const bad = await host(['check', '--json'])
    expect(bad.code).toBe(78)
    expect(JSON.parse(bad.stdout)).toMatchObject({
      ok: false,
      overview: null,
      problems: [{ severity: 'error', file: 'nexus.yaml', line: 1, column: 12 }],
    })
  })
})
