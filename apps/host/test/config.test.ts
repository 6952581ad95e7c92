import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@nexus/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readHostConfig } from '../src/config/read.ts'

let folder: string
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-config-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const read = async (text: string) => {
  count += 1
  const file = join(folder, `nexus-${count}.yaml`)
  await writeFile(file, text)
  return readHostConfig(file)
}

const refusal = async (text: string): Promise<string> => {
  const error = await read(text).then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return error instanceof Error ? error.message.replace(`${folder}/`, '').replace(/^nexus-\d+/, 'nexus') : ''
}

const good = `projects:
  shop: { workspace: . }
agents:
  Triage: { command: 'node agents/triage.mjs' }
  '@developer': { command: [node, agents/dev.mjs], prompt: none, timeout_seconds: 60, env: [API_KEY] }
workflows:
  chain:
    apiVersion: nexus/v1
    description: two steps
    steps:
      - { id: triage, agent_type: triage, prompt: 'Look.', tools: [read], inputs: { a: 1 } }
      - { id: develop, agent: Developer, description: 'Do it.', timeout: 30 }
`

describe('nexus.yaml', () => {
  test('reads projects, agents, workflows and defaults', async () => {
    const config = await read(good)
    expect(config).toMatchObject({
      concurrency: 4,
      apiPort: null,
      onUnreachable: 'keep',
      fuse: { failures: 5, coolDownMs: 600_000 },
      keepRunsDays: 30,
    })
    expect(config.agents.get('developer')).toEqual({
      command: ['node', 'agents/dev.mjs'],
      prompt: 'none',
      timeoutMs: 60_000,
      env: ['API_KEY'],
      variables: {},
    })
    expect(config.agents.get('triage')).toMatchObject({ prompt: 'stdin', timeoutMs: null, env: [] })
    expect(config.projects.get('shop')).toMatchObject({
      workspace: folder,
      workflow: { full: { definition: { name: 'chain' }, others: [] } },
      concurrency: null,
      issuePrefix: '',
    })
    expect(config.projects.get('shop')?.workflow.full?.definition.steps).toMatchObject([
      { id: 'triage', agentType: 'triage', prompt: 'Look.', onSuccess: null },
      { id: 'develop', agentType: 'developer', prompt: 'Do it.', timeoutMs: 30_000 },
    ])
  })

  const agent = (members: string) => good.replace("command: 'node agents/triage.mjs'", members)

  test('a preset brings its command, to which args are added, and what it may inherit', async () => {
    const config = await read(agent('preset: claude, args: [--model, opus], env: [MY_PROXY]'))
    const claude = config.agents.get('triage')
    expect(claude?.command.at(0)).toBe('claude')
    expect(claude?.command.slice(-2)).toEqual(['--model', 'opus'])
    expect(claude).toMatchObject({ prompt: 'stdin', env: expect.arrayContaining(['ANTHROPIC_API_KEY', 'MY_PROXY']) })
  })

  test('how the prompt comes is seen by its placeholder, or said', async () => {
    const promptOf = async (members: string) => (await read(agent(members))).agents.get('triage')?.prompt
    expect(await promptOf("command: [node, a.mjs, -p, '{prompt}']")).toBe('argument')
    expect(await promptOf("command: [node, a.mjs, '--in={prompt_file}']")).toBe('file')
    expect(await promptOf('command: [node, a.mjs]')).toBe('stdin')
    expect(await promptOf(`command: 'a "$1"', prompt: argument`)).toBe('argument')
    expect(await promptOf('command: a, prompt: file')).toBe('file')
  })

  const step = (members: string) => good.replace("prompt: 'Look.'", members)

  test.each([
    [
      'an unknown agent',
      good.replace('agent: Developer', 'agent: tester'),
      'nexus.yaml:12:24: workflows.chain.steps[1].agent: there is no agent "tester". Known: triage, developer.',
    ],
    ['routes', step('routes: []'), 'nexus.yaml:11:43: workflows.chain.steps[0].routes: "routes" is not supported yet'],
    ['parallel', step('parallel: [develop]'), 'workflows.chain.steps[0].parallel: "parallel" is not supported yet'],
    ['approvals', step('require_human_approval: true'), '"require_human_approval" is not supported yet'],
    [
      'a router',
      good.replace('agent_type: triage', 'agent_type: router'),
      'a step of agent_type router is not supported yet',
    ],
    [
      'tiers',
      good.replace('    steps:', '    full_workflow: {}\n    steps:'),
      'nexus.yaml:10:5: workflows.chain.full_workflow: "full_workflow" is not supported yet',
    ],
    [
      'a misspelt member',
      step('on_sucess: develop'),
      'nexus.yaml:11:43: workflows.chain.steps[0].on_sucess: unknown member',
    ],
    ['an unknown step', step('on_success: deploy'), 'there is no step "deploy". Known: triage, develop.'],
    ['a loop', step('on_success: triage'), 'going back to an earlier step is not supported yet'],
    ['a step twice', good.replace('id: develop', 'id: triage'), 'another step is called "triage" already'],
    ['an agent twice', good.replace('Triage:', 'Developer:'), 'another agent is called developer already'],
    [
      'a missing workspace',
      good.replace('workspace: .', 'workspace: ./nowhere'),
      'nexus.yaml:2:11: projects.shop.workspace: there is no folder',
    ],
    [
      'an unknown workflow',
      good.replace('workspace: .', 'workspace: ., workflow: other'),
      'there is no workflow "other". Known: chain.',
    ],
    ['a project key with a colon', good.replace('shop:', "'a:b':"), 'the project key holds a colon'],
    [
      'no command',
      good.replace("command: 'node agents/triage.mjs'", ''),
      'nexus.yaml:4:3: agents.Triage.command: a command is needed',
    ],
    [
      'an unknown preset',
      agent('preset: clod'),
      'nexus.yaml:4:13: agents.Triage.preset: use claude, codex, gemini, copilot, or a command of your own',
    ],
    [
      'a preset beside a command',
      agent("preset: codex, command: 'codex exec'"),
      'nexus.yaml:4:28: agents.Triage.command: a preset has a command of its own. Remove one of the two.',
    ],
    ['args of a command', agent('command: a, args: [--fast]'), 'agents.Triage.args: args belong to a preset'],
    [
      'a prompt of a preset',
      agent('preset: codex, prompt: file'),
      'agents.Triage.prompt: a preset says how its prompt comes',
    ],
    ['a prompt in some way', agent('command: a, prompt: fax'), 'agents.Triage.prompt: use stdin'],
    [
      'a prompt pasted into a line',
      agent("command: 'a -p {prompt}'"),
      'agents.Triage.command: a line for the shell gets the prompt as "$1"',
    ],
    [
      'a prompt file pasted into a line',
      agent("command: 'a -f {prompt_file}'"),
      'a line for the shell has the file in a variable: write "$NEXUS_PROMPT_FILE"',
    ],
    [
      'a line that does not use its argument',
      agent("command: 'a; ', prompt: argument"),
      'the line gets the prompt as "$1" and does not use it',
    ],
    [
      'a placeholder that nothing is put in for',
      agent("command: [a, '{prompt}'], prompt: stdin"),
      '{prompt} stands for the prompt as an argument, and "prompt: stdin" says otherwise',
    ],
    [
      'a prompt as an argument of a preset that reads it elsewhere',
      agent("preset: claude, args: ['{prompt}']"),
      'agents.Triage.args: {prompt} stands for the prompt as an argument',
    ],
    [
      'runs kept for less than no time',
      `${good}runs: { keep_days: -1 }\n`,
      'runs.keep_days: a number of days is needed',
    ],
    [
      'no agents',
      good.replace(/agents:[\s\S]*workflows/, 'workflows'),
      'agents: agents (role: { command: … }) are needed',
    ],
    ['concurrency', `${good}concurrency: 0\n`, 'nexus.yaml:13:1: concurrency: a whole number from 1 to 1000 is needed'],
    ['a port', `${good}api: { port: 99999 }\n`, 'api.port: a port from 0 (any) to 65535 is needed'],
    ['no YAML', 'projects: [', 'nexus.yaml:1:12: not YAML'],
    ['nothing', '', 'projects, agents and workflows are needed'],
    ['a misspelt section', good.replace('projects:', 'project:'), 'nexus.yaml:1:1: project: unknown member'],
    [
      'an empty project',
      good.replace(' { workspace: . }', ''),
      'nexus.yaml:2:3: projects.shop: write { workspace: … }',
    ],
    ['a project as text', good.replace('{ workspace: . }', './shop'), 'projects.shop: write { workspace: … }'],
    [
      'an agent as text',
      good.replace("{ command: 'node agents/triage.mjs' }", 'claude -p'),
      'nexus.yaml:4:3: agents.Triage: write { command: … }',
    ],
    [
      'an empty command list',
      good.replace("'node agents/triage.mjs'", '[]'),
      'agents.Triage.command: a command is needed',
    ],
    ['steps without their name', good.replace('    steps:\n', '').replace(/ {4}apiVersion.*\n.*\n/, ''), 'steps: […]'],
    ['a step as text', good.replace(/\{ id: triage.*/, 'triage'), 'write { id: …, agent_type: …, prompt: … }'],
    ['an id that is a number', good.replace('id: triage', 'id: 1'), 'steps[0].id: an id is text: put it in quotes'],
    ['an api as a number', `${good}api: 8080\n`, 'nexus.yaml:13:1: api: write { port: … }'],
    ['an unknown alias', good.replace('{ workspace: . }', '*shop'), 'nexus.yaml:2:9: not YAML: Unresolved alias'],
  ])('refuses %s', async (_, text, message) => {
    expect(await refusal(text)).toContain(message)
  })

  test('a missing file is answered with an example', () => {
    expect(() => readHostConfig(join(folder, 'none.yaml'))).toThrow('or write one:')
  })

  test('of several workflows a project must name one', async () => {
    const text = good.replace('  chain:', '  other: { steps: [{ id: a, agent: triage }] }\n  chain:')
    expect(await refusal(text)).toContain('projects.shop: there are several workflows (other, chain). Say which')
  })
})
