import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkWorkflow } from '../src/check.ts'
import { tierOfType, tiers } from '../src/definition.ts'
import { linkTiers, type Workflows } from '../src/link.ts'
import { readWorkflow } from '../src/read-definition.ts'
import { meant } from '../src/unknown-members.ts'

const told = (written: unknown): string[] =>
  readWorkflow('w', written).problems.map(({ severity, path, message }) => `${severity} ${path.join('.')}: ${message}`)

const step = (more: object) => ({ steps: [{ id: 'a', agent_type: 'dev', ...more }] })

describe('members that nobody reads', () => {
  test.each([
    [step({ promt: 'x' }), 'error steps.0.promt: unknown member. Did you mean "prompt"?'],
    [step({ finalStep: true }), 'error steps.0.finalStep: unknown member. Did you mean "final_step"?'],
    [step({ 'on-success': 'b' }), 'error steps.0.on-success: unknown member. Did you mean "on_success"?'],
    [
      step({ colour: 'red' }),
      'warning steps.0.colour: unknown member: it means nothing to the host; the agent is told.',
    ],
    [
      step({ depends_on: ['b'] }),
      'error steps.0.depends_on: "depends_on" is not known: put the step behind the others, or name it in their on_success.',
    ],
    [step({ routes: [{ wen: 'x', goto: 'a' }] }), 'error steps.0.routes.0.wen: unknown member. Did you mean "when"?'],
    [
      { ...step({}), monitoring: { require_human_merge_aproval: true } },
      'error monitoring.require_human_merge_aproval: unknown member. Did you mean "require_human_merge_approval"?',
    ],
    [
      { ...step({}), monitoring: { human_approval_gates: [{ before: 'a' }] } },
      'warning monitoring.human_approval_gates: it means nothing to the host. Write "require_human_approval: true" in the step that a person approves.',
    ],
  ])('%j', (written, problem) => {
    expect(told(written)).toContain(problem)
  })

  test('a misspelt member explains the missing one', () => {
    expect(told({ steps: [{ id: 'a', agent_typ: 'dev' }] })).toEqual([
      'error steps.0.agent_typ: unknown member. Did you mean "agent_type"?',
    ])
  })

  test('nothing is said of what everybody has', () => {
    const written = {
      ...step({ inputs: {}, outputs: [], tools: null, context_policy: 'all' }),
      monitoring: { audit_trail: 'x' },
    }
    expect(told(written)).toEqual([])
  })
})

test('what no document can keep is refused, a value that holds itself too', () => {
  const itself: unknown[] = []
  itself.push(itself)
  expect(told(step({ inputs: itself }))).toEqual([
    'error : the workflow is nested deeper than 512 levels. Write plain values.',
  ])
  expect(told(step({ inputs: Number.POSITIVE_INFINITY }))[0]).toContain('holds a number that JSON cannot express')
})

test('a word near a known one is meant for it, a short one only at one edit', () => {
  expect(meant('timout', ['timeout', 'tools'])).toBe('timeout')
  expect(meant('tiemout_seconds', ['timeout', 'timeout_seconds'])).toBe('timeout_seconds')
  expect(meant('agnt', ['agent'])).toBe('agent')
  expect(meant('model', ['name', 'goto', 'tools'])).toBeNull()
})

test('tiers by type', () => {
  expect(['hotfix', 'chore', 'feature-simple', 'bug', 'Improvement', 'feature', ''].map(tierOfType)).toEqual([
    ...['fast-track', 'fast-track', 'fast-track', 'shortened', 'shortened', 'full', 'full'],
  ])
})

test('workflows that lead to each other come once each, in the tier that is asked for', () => {
  const written = {
    one: { full_workflow: step({ on_success: 'two' }), shortened_workflow: step({ on_success: 'two', name: 'short' }) },
    two: step({ routes: [{ when: 'x', goto: 'one' }, { default: 'end' }] }),
  }
  const workflows: Workflows = new Map(
    Object.entries(written).map(([name, one]) => [name, readWorkflow(name, one).workflow]),
  )
  const linked = linkTiers(workflows, 'two')
  expect(tiers.map((tier) => linked[tier]?.others.map(({ name, steps }) => [name, steps[0]?.name]))).toEqual([
    [['one', 'a']],
    [['one', 'short']],
    [['one', 'short']],
  ])
})

const word = fc.constantFrom('a', 'b', 'router', 'end', '', 'x ==', '__proto__', 'constructor')
const scalar = fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null), fc.double())
const members = fc.constantFrom(
  ...['id', 'agent_type', 'agent', 'on_success', 'goto', 'routes', 'default', 'parallel', 'final_step', 'condition'],
  ...['retry', 'retry_policy', 'timeout', 'max_iterations', 'approval_gates', 'when', 'then', 'other', '__proto__'],
)
const anyStep = fc.dictionary(
  members,
  fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.array(fc.dictionary(members, scalar), { maxLength: 3 })),
)
const likeAStep = fc.tuple(anyStep, word).map(([one, id]) => ({ id, agent_type: 'dev', ...one }))
const likeAWorkflow = fc.dictionary(
  fc.constantFrom('steps', 'full_workflow', 'fast_track_workflow', 'monitoring', 'metadata', 'kind'),
  fc.oneof(
    { weight: 3, arbitrary: fc.array(likeAStep, { maxLength: 4 }) },
    fc.record({ steps: fc.array(likeAStep, { maxLength: 4 }) }),
    fc.anything(),
  ),
)

test('whatever is written is read or refused with a reason, and what is read can be dry-run', () => {
  let read = 0
  fc.assert(
    fc.property(fc.oneof(likeAWorkflow, fc.anything()), (written) => {
      const { workflow, problems } = readWorkflow('w', written)
      if (workflow === null) expect(problems.some(({ severity }) => severity === 'error')).toBe(true)
      else read += 1
      for (const linked of Object.values(linkTiers(new Map([['w', workflow]]), 'w')))
        for (const { message } of checkWorkflow(linked, { roles: new Set(['dev']), workflows: new Set(['w']) }))
          expect(message).not.toBe('')
    }),
    { numRuns: 2_000 },
  )
  expect(read).toBeGreaterThan(20)
})
