import fc from 'fast-check'
import { expect, test } from 'vitest'
import { advance, nextDueMs } from '../src/advance.ts'
import { awaitsApproval } from '../src/control.ts'
import { backoffs, type StepDefinition } from '../src/definition.ts'
import { attemptsOf, runningAttemptsOf, type WorkflowDocument } from '../src/document.ts'
import type { EngineEvent } from '../src/event.ts'
import { groupOf } from '../src/route.ts'
import { createStage, documentOf, stepOf, workflowOf } from './stage.ts'

const ids = ['a', 'b', 'c', 'd', 'e'] as const
const someId = fc.constantFrom<string>(...ids)
const condition = fc.constantFrom("go == 'x'", "go != 'x'", 'true', 'false', 'go > 3', 'iteration == 0')
const orNull = <T>(one: fc.Arbitrary<T>, freq = 3) => fc.option(one, { nil: null, freq })

const stepShape = fc.record({
  agentType: fc.constantFrom<string | null>('writer', 'reader', 'router', null),
  condition: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, condition),
  onSuccess: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, someId),
  routes: fc.array(
    fc.record({ when: orNull(condition), to: fc.oneof(someId, fc.constant('gone'), fc.constant('done')) }),
    { maxLength: 2 },
  ),
  parallel: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.uniqueArray(someId, { maxLength: 3 })),
  finalStep: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
  requireApproval: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  retry: fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    fc.record({ maxRetries: fc.nat(2), backoff: fc.constantFrom(...backoffs), initialDelayMs: fc.nat(5000) }),
  ),
  maxIterations: fc.nat(2),
})

const anyWorkflow = fc
  .record({
    shapes: fc.array(stepShape, { minLength: 1, maxLength: ids.length }),
    timeoutMs: orNull(fc.constant(60_000)),
    requireMergeApproval: fc.boolean(),
  })
  .map(({ shapes, ...change }) =>
    workflowOf(
      shapes.map((shape, index): StepDefinition => stepOf(ids[index] ?? 'a', shape)),
      change,
    ),
  )

/** What happens next, of what can happen; `again`: something that happened before, once more. */
const happening = fc.record({
  what: fc.constantFrom(
    'start',
    'report',
    'blocked',
    'ended',
    'interrupted',
    'approve',
    'reject',
    'pause',
    'resume',
    'retry',
    'again',
    'wait',
    'deadline',
    'cancel',
  ),
  nth: fc.nat(5),
  go: fc.constantFrom('x', 'y', 4),
})
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never

const legal: Readonly<Record<string, readonly string[]>> = {
  pending: ['running', 'cancelled'],
  running: ['paused', 'completed', 'failed', 'cancelled'],
  paused: ['running', 'failed', 'cancelled'],
  failed: ['running'],
  completed: [],
  cancelled: [],
}

const eventOf = (stage: ReturnType<typeof createStage>, { what, nth, go }: Happening): EngineEvent => {
  const running = stage.document.steps.filter(({ status }) => status === 'running')
  const step = running[nth % Math.max(1, running.length)] ?? stage.document.steps[nth % stage.document.steps.length]
  const of = step?.id ?? 'a'
  const report = (status: 'complete' | 'blocked'): EngineEvent => {
    const event = stage.event({ type: 'report', of, status, payload: { go } })
    if (event.type === 'report') event.completion.agentType = step?.agent.name ?? ''
    return event
  }
  switch (what) {
    case 'report':
      return report('complete')
    case 'blocked':
      return report('blocked')
    case 'ended':
    case 'interrupted':
      return stage.event({ type: 'ended', of, fault: what === 'ended' ? 'agent' : 'surroundings' })
    case 'approve':
    case 'reject':
      return stage.event({ type: what, by: 'ann', comment: null })
    case 'pause':
      return stage.event({ type: 'pause', reason: 'lunch' })
    case 'retry':
      return stage.event({ type: 'retry', step: nth === 0 ? null : (ids[nth] ?? null) })
    case 'cancel':
      return { type: 'cancel', reason: 'enough', at: stage.event({ type: 'start' }).at }
    case 'resume':
    case 'deadline':
      return stage.event({ type: what })
    default:
      return stage.event({ type: 'start' })
  }
}

const checkAdvance = (before: WorkflowDocument, stage: ReturnType<typeof createStage>, event: EngineEvent): void => {
  const { document, effects } = stage
  if (document.state !== before.state)
    expect(legal[before.state], `${before.state} by ${event.type}`).toContain(document.state)
  const launched = effects.flatMap((effect) => (effect.type === 'launch' ? [effect.attempt] : []))
  expect(new Set(launched).size).toBe(launched.length)
  const group = groupOf(document, document.current_step)
  const running = [...document.steps.keys()].filter((index) => document.steps[index]?.status === 'running')
  expect(group, 'steps that run beside those whose turn it is').toEqual(expect.arrayContaining(running))
  expect(attemptsOf(document).sort()).toEqual([...launched].sort())
  if (event.type === 'report' || event.type === 'agent-ended') expect(advance(document, event).document).toBe(document)
  expect(effects.filter(({ type }) => type === 'complete-task')).toHaveLength(document.state === 'completed' ? 1 : 0)
}

test('in any workflow, however often and in whatever order events come, no effect is lost or repeated, and every change is a legal one', () => {
  fc.assert(
    fc.property(anyWorkflow, fc.array(happening, { maxLength: 40 }), (definition, all) => {
      const stage = createStage(documentOf(definition))
      const past: EngineEvent[] = []
      for (const happens of all) {
        if (happens.what === 'wait') {
          stage.wait(happens.nth * 2000)
          continue
        }
        const old = past[happens.nth % Math.max(1, past.length)]
        const event = happens.what === 'again' && old?.type !== 'start' && old ? old : eventOf(stage, happens)
        past.push(event)
        const before = stage.document
        stage.apply(event)
        checkAdvance(before, stage, event)
      }
    }),
    { numRuns: 300 },
  )
})

test('any workflow comes to an end when its agents report, people approve, and time passes', () => {
  fc.assert(
    fc.property(anyWorkflow, fc.array(happening, { maxLength: 15 }), (definition, all) => {
      const stage = createStage(documentOf(definition))
      for (const happens of all.filter(({ what }) => !['cancel', 'again', 'wait'].includes(what)))
        stage.apply(eventOf(stage, happens))
      for (let round = 0; round < 300; round += 1) {
        const { document } = stage
        if (['completed', 'cancelled'].includes(document.state)) return
        if (document.state === 'failed' && document.failure?.fatal) return
        if (awaitsApproval(document)) stage.play({ type: 'approve', by: 'ann', comment: null })
        else if (document.state === 'paused') stage.play({ type: 'resume' })
        else if (runningAttemptsOf(document).length > 0)
          stage.apply(eventOf(stage, { what: 'report', nth: round, go: 'x' }))
        else {
          if (nextDueMs(document) !== null) stage.wait(20_000)
          stage.play({ type: 'deadline' }, { type: 'start' })
        }
      }
      expect(stage.document.state, 'still going after 300 rounds').toBe('completed')
    }),
    { numRuns: 300 },
  )
})
