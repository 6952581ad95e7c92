import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readHostConfig } from '../src/config/read.ts'
import { agent, good, step, useConfigFiles } from './config-files.ts'

const { folder, read, refusal } = useConfigFiles()

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
      workspace: folder(),
      workflow: { full: { definition: { name: 'chain' }, others: [] } },
      concurrency: null,
      issuePrefix: '',
    })
    expect(config.projects.get('shop')?.workflow.full?.definition.steps).toMatchObject([
      { id: 'triage', agentType: 'triage', prompt: 'Look.', onSuccess: null },
      { id: 'develop', agentType: 'developer', prompt: 'Do it.', timeoutMs: 30_000 },
    ])
  })

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

  test('a project may name the file of its workflow, which is read once and called as the file', async () => {
    await writeFile(join(folder(), 'flow.yaml'), 'workflow_types: { Docs: full }\nsteps: [{ id: a, agent: triage }]\n')
    const text = good
      .replace('{ workspace: . }', '{ workspace: ., workflow: ./flow.yaml, tiers: { Bug: fast-track } }')
      .replace('agents:', '  site: { workspace: ., workflow: flow.yaml }\nagents:')
    const { projects } = await read(text)
    expect(projects.get('shop')?.workflow.full?.definition).toMatchObject({ name: 'flow', steps: [{ id: 'a' }] })
    expect(projects.get('site')?.workflow.full?.definition).toBe(projects.get('shop')?.workflow.full?.definition)
    expect(Object.fromEntries(projects.get('shop')?.tiers ?? [])).toEqual({ docs: 'full', bug: 'fast-track' })
    expect(await refusal(text.replace('./flow.yaml', './none.yml'))).toMatch(
      /^nexus\.yaml:2:25: projects\.shop\.workflow: \S+none\.yml cannot be read\. Name a YAML file/,
    )
  })

  test('a part that is written once and merged where it is needed', async () => {
    const merged = good
      .replace('    steps:', '    steps:\n      - &step { id: first, agent_type: triage, timeout: 5 }')
      .replace('{ id: triage,', '{ <<: *step, id: triage,')
    const steps = (await read(merged)).projects.get('shop')?.workflow.full?.definition.steps
    expect(steps).toMatchObject([
      { id: 'first' },
      { id: 'triage', timeoutMs: 5_000, prompt: 'Look.' },
      { id: 'develop' },
    ])
  })

  test('all that is wrong is said, in the order of the file', async () => {
    const text = step('on_sucess: x').replace('timeout: 30', 'timeout: 0').replace('workspace: .', 'workspaces: .')
    expect((await refusal(text)).split('\n').map((line) => line.replace(/^\S*nexus-?\d*/, 'nexus'))).toEqual([
      'nexus.yaml:2:11: projects.shop.workspaces: unknown member. Did you mean "workspace"?',
      'nexus.yaml:11:43: workflows.chain.steps[0].on_sucess: unknown member. Did you mean "on_success"?',
      'nexus.yaml:12:65: workflows.chain.steps[1].timeout: must be more than 0 seconds.',
    ])
  })

  test('of many errors the first ten are said', async () => {
    const steps = Array.from({ length: 14 }, (_, n) => `      - { id: s${n}, agent: nobody }\n`).join('')
    expect((await refusal(`${good}${steps}`)).split('\n').at(-1)).toBe('… and 4 more: nexus-host check')
  })

  test('a missing file is answered with an example', () => {
    expect(() => readHostConfig(join(folder(), 'none.yaml'))).toThrow('or write one:')
  })

  test('of several workflows a project must name one', async () => {
    const text = good.replace('  chain:', '  other: { steps: [{ id: a, agent: triage }] }\n  chain:')
    expect(await refusal(text)).toContain('projects.shop: there are several workflows (other, chain). Say which')
  })
})
