import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Completion, JsonObject } from '@nexus/core'
import { advance, createDocument, type Effect, type EngineEvent, type LinkedWorkflow, type Tier } from '@nexus/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostConfig } from '../src/config/host-config.ts'
import { inspectHostConfig } from '../src/config/inspect.ts'
import { problemText } from '../src/config/source.ts'
import {
  definitionNames,
  definitionPath,
  definitionRuns,
  definitionRoles as roles,
  type Said,
} from './definition-runs.ts'

const names = definitionNames()

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus-definitions-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A project for each workflow. */
const inspectAll = (workflows: Record<string, unknown>) => {
  const file = join(folder, 'nexus.yaml')
  const projects = Object.fromEntries(Object.keys(workflows).map((name) => [name, { workspace: '.', workflow: name }]))
  const agents = Object.fromEntries(roles.map((role) => [role, { command: 'true' }]))
  writeFileSync(file, JSON.stringify({ projects, agents, workflows }))
  return inspectHostConfig(file)
}

const load = (): HostConfig => {
  const { config, problems } = inspectAll(Object.fromEntries(names.map((name) => [name, definitionPath(name)])))
  expect(problems.map(problemText)).toEqual([])
  return config as HostConfig
}

const linked = (config: HostConfig, name: string, tier: Tier = 'full'): LinkedWorkflow => {
  const found = config.projects.get(name)?.workflow[tier]
  if (!found) throw new Error(`${name} has no ${tier} tier.`)
  return found
}

test('the definitions of the field load and dry-run clean', () => {
  expect(names.length).toBeGreaterThanOrEqual(10)
  expect([...load().projects.keys()].sort()).toEqual([...names].sort())
})

describe('what is read', () => {
  test('members of a step, by whichever name', () => {
    const { definition } = linked(load(), 'chain')
    expect(definition).toMatchObject({
      name: 'chain',
      version: '1.2',
      description: 'One step after the other.',
      timeoutMs: 86_400_000,
    })
    expect(definition.steps).toMatchObject([
      {
        id: 'triage',
        agentType: 'triage',
        timeoutMs: 600_000,
        onSuccess: 'develop',
        context: { tools: ['read'], outputs: ['plan'] },
      },
      {
        id: 'develop',
        prompt: 'Do what plan.md says, in this folder.',
        timeoutMs: 3_600_000,
        context: { description: 'Do what the plan says.', context_policy: { keep: 'last' } },
      },
      {
        id: 'review',
        agentType: 'reviewer',
        prompt: 'Check what was done against the task.',
        finalStep: true,
        context: {},
      },
    ])
  })

  test('tiers in both spellings, the nearest where one is missing, and the types that a workflow names', () => {
    const config = load()
    const steps = (name: string, tier: Tier): string[] =>
      linked(config, name, tier).definition.steps.map(({ id }) => id)
    expect(steps('tiers', 'full')).toEqual(['design', 'develop', 'review'])
    expect(steps('tiers', 'shortened')).toEqual(['develop', 'review'])
    expect(steps('tiers', 'fast-track')).toEqual(['develop'])
    expect(steps('tiers-underscore', 'shortened')).toEqual(['design', 'develop'])
    expect(steps('tiers-underscore', 'fast-track')).toEqual(['write'])
    expect(config.projects.get('tiers-underscore')?.tiers).toEqual(
      new Map([
        ['feature', 'full'],
        ['docs', 'fast-track'],
      ]),
    )
  })

  test('retries in both spellings, approvals, bounds', () => {
    const config = load()
    expect(linked(config, 'retries').definition.steps.map(({ retry }) => retry)).toEqual([
      { maxRetries: 3, backoff: 'exponential', initialDelayMs: 10_000 },
      { maxRetries: 2, backoff: 'linear', initialDelayMs: 5_000 },
      { maxRetries: 1, backoff: 'constant', initialDelayMs: 500 },
      { maxRetries: 0, backoff: 'exponential', initialDelayMs: 10_000 },
    ])
    const { definition } = linked(config, 'approvals')
    expect(definition.requireMergeApproval).toBe(true)
    expect(definition.steps.map(({ requireApproval }) => requireApproval)).toEqual([false, true, true])
    expect(linked(config, 'review-loop').definition.steps.map(({ maxIterations }) => maxIterations)).toEqual([
      3,
      null,
      null,
      null,
    ])
  })

  test('the workflows that one leads to come with it, in the same tier', () => {
    const { others } = linked(load(), 'dispatch', 'fast-track')
    expect(others.map(({ name, steps }) => [name, steps.map(({ id }) => id)])).toEqual([
      ['release', ['build', 'verify', 'answer']],
      ['tiers', ['develop']],
    ])
  })
})

/** Runs a workflow on the state machine: each launch of a step is answered with the next of its reports. */
const play = (workflow: LinkedWorkflow, reports: Record<string, Said[]> = {}) => {
  const left = new Map(Object.entries(reports).map(([step, said]) => [step, [...said]]))
  let document = createDocument({
    ...workflow,
    id: 'w',
    name: 'w',
    project: 'p',
    issueNumber: '1',
    description: '',
    metadata: {},
  })
  const launches: string[] = []
  const open: Effect[] = []
  let count = 0
  const apply = (event: (at: string, attempt: string) => EngineEvent): void => {
    count += 1
    const next = advance(document, event(new Date(count * 1000).toISOString(), `at-${String(count).padStart(8, '0')}`))
    document = next.document
    open.push(...next.effects)
  }
  const launchOf = (attempt: string) => ({ attempt, baseline: [], isPartial: false })
  const holding = { task: 't', attempts: 0, recoveries: 0, epoch: 1 }
  const start = (): void => apply((at, attempt) => ({ type: 'start', at, launch: launchOf(attempt), holding }))
  start()
  for (let effect = open.shift(); effect; effect = open.shift()) {
    if (effect.type === 'pause-task' && left.get('person')?.shift() === 'approve') {
      launches.push('approved')
      apply((at) => ({ type: 'approve', at, by: 'me', comment: null }))
      start()
    }
    if (effect.type !== 'launch') continue
    const { attempt, step: id } = effect
    const step = document.steps.find(({ attempt_id }) => attempt_id === attempt)
    const said = left.get(id)?.shift() ?? {}
    launches.push(id)
    const completion: Completion = {
      ...{ project: 'p', issueNumber: '1', agentType: step?.agent.name ?? '', status: 'complete', summary: id },
      ...{ payload: said as JsonObject, reportId: attempt, dedupKey: `1:${id}:complete`, rev: `rev-${count}` },
      ...{ createdAt: new Date(0), savedAt: new Date(0) },
    }
    apply((at, fresh) => ({ type: 'report', at, completion, launch: launchOf(fresh), holding }))
  }
  return { launches: launches.join(' '), state: document.state }
}

describe('each runs as it is meant, its reports choosing the way', () => {
  test.each(definitionRuns)('%s %j: %s', (name, reports, launches, tier) => {
    expect(play(linked(load(), name, tier), reports)).toEqual({ launches, state: 'completed' })
  })

  test('a loop ends at its bound', () => {
    const changes = Array.from({ length: 9 }, () => ({ review_status: 'changes' }))
    const { launches, state } = play(linked(load(), 'review-loop'), { review: changes })
    expect(state).toBe('failed')
    expect(launches.split(' ').filter((step) => step === 'develop')).toHaveLength(4)
  })
})

describe('docs/workflows.md', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/workflows.md', import.meta.url)), 'utf8')
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text]) => text ?? '')

  test('each of its examples is a workflow, or a nexus.yaml, that loads without a word', () => {
    expect(blocks.length).toBeGreaterThan(8)
    const written = blocks.map((text, index) => {
      const file = join(folder, `block-${index}.yaml`)
      writeFileSync(file, text)
      return { file, isHost: /^projects:/m.test(text) }
    })
    const others = Object.fromEntries(
      ['release', 'hotfix'].map((name) => [name, { steps: [{ id: 'build', agent: 'developer' }] }]),
    )
    for (const { file, isHost } of written) {
      const { config, problems } = isHost ? inspectHostConfig(file) : inspectAll({ block: file, ...others })
      expect(problems.map(problemText)).toEqual([])
      expect(config).not.toBeNull()
    }
  })
})
