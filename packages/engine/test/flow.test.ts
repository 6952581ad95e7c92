import type { JsonObject } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { isDue, nextDueMs } from '../src/advance.ts'
import type { Route } from '../src/definition.ts'
import { readDocument } from '../src/document.ts'
import { started, startMs, stepOf, workflowOf } from './stage.ts'

const when = (condition: string, to: string): Route => ({ when: condition, to })
const otherwise = (to: string): Route => ({ when: null, to })

const review = [
  stepOf('develop'),
  stepOf('review'),
  stepOf('decide', {
    agentType: null,
    routes: [when("review_status == 'approved'", 'close'), otherwise('develop')],
  }),
  stepOf('close', { finalStep: true }),
]

describe('routes', () => {
  test('a router decides on the last report, back or on, and runs no agent', () => {
    const stage = started(workflowOf(review)).done('develop')
    stage.play({ type: 'report', of: 'review', payload: { review_status: 'changes' } }).done('develop')
    stage.play({ type: 'report', of: 'review', payload: { review_status: 'approved' } }).done('close')
    expect(stage.launches()).toEqual(['develop', 'review', 'develop', 'review', 'close'])
    expect(stage.document).toMatchObject({ state: 'completed', steps: [{ iteration: 1 }, {}, {}, {}] })
    expect(stage.document.steps[1]?.passes[0]?.report?.payload).toEqual({ review_status: 'changes' })
  })

  test('routes of a step come before what its report names, and its order', () => {
    const steps = [
      stepOf('a', { routes: [when('score > 3', 'c')], onSuccess: 'b' }),
      stepOf('b'),
      stepOf('c'),
      stepOf('d'),
    ]
    const routed = started(workflowOf(steps)).play({ type: 'report', of: 'a', payload: { score: 4, next_agent: 'd' } })
    expect(routed.launches()).toEqual(['a', 'c'])
    const named = started(workflowOf(steps)).play({ type: 'report', of: 'a', payload: { score: 1, next_agent: 'd' } })
    expect(named.launches()).toEqual(['a', 'd'])
    const plain = started(workflowOf(steps)).play({ type: 'report', of: 'a', payload: { score: 1 } })
    expect(plain.launches()).toEqual(['a', 'b'])
  })

  test('a condition that cannot be decided does not fit, and the document says why', () => {
    const stage = started(workflowOf([stepOf('a', { routes: [when("score > 'x'", 'c')] }), stepOf('b'), stepOf('c')]))
    stage.play({ type: 'report', of: 'a', payload: { score: 4 } })
    expect(stage.launches()).toEqual(['a', 'b'])
    expect(stage.document.route_note).toMatch(/^score > 'x': /)
  })

  test('a route to nowhere fails the workflow for good, and names it', () => {
    const stage = started(workflowOf([stepOf('a', { routes: [otherwise('gone')] })])).done('a')
    expect(stage.effects.at(-1)).toEqual({
      type: 'fail-task',
      error: 'The workflow cannot go on: step a leads to "gone", which is no step.',
      fatal: true,
    })
  })

  test('a loop is bounded, and says which step it came back to', () => {
    const stage = started(workflowOf([stepOf('a', { maxIterations: 2 }), stepOf('b', { onSuccess: 'a' })]))
    stage.done('a', 'b', 'a', 'b', 'a', 'b')
    expect(stage.launches()).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
    expect(stage.document.failure).toMatchObject({
      error: 'The workflow came back to step a more than 2 times.',
      fatal: true,
    })
  })

  test('routers that lead to each other end as well', () => {
    const routers = [
      stepOf('a', { agentType: null, routes: [otherwise('b')] }),
      stepOf('b', { agentType: 'router', routes: [otherwise('a')] }),
    ]
    const stage = started(workflowOf([stepOf('first'), ...routers])).done('first')
    expect(stage.document.state).toBe('failed')
  })

  test('a route leads into another workflow and back, which begins anew', () => {
    const fix = workflowOf([stepOf('patch'), stepOf('check', { routes: [when('ok', 'main'), otherwise('patch')] })], {
      name: 'fix',
    })
    const main = workflowOf([stepOf('build', { routes: [when('broken', 'fix')] }), stepOf('ship')])
    const stage = started(main, [fix])
      .play({ type: 'report', of: 'build', payload: { broken: true } })
      .done('patch')
    stage.play({ type: 'report', of: 'check', payload: { ok: false } }).done('patch')
    stage.play({ type: 'report', of: 'check', payload: { ok: true } })
    stage.play({ type: 'report', of: 'build', payload: { broken: false } }).done('ship')
    expect(stage.launches()).toEqual(['build', 'patch', 'check', 'patch', 'check', 'build', 'ship'])
    expect(stage.document.state).toBe('completed')
  })

  test('next_agent may name a role behind: a loop', () => {
    const stage = started(workflowOf([stepOf('develop'), stepOf('review')])).done('develop')
    stage.play({ type: 'report', of: 'review', payload: { next_agent: '@Develop' } }).done('develop', 'review')
    expect(stage.launches()).toEqual(['develop', 'review', 'develop', 'review'])
    expect(stage.document.state).toBe('completed')
  })
})

describe('conditions', () => {
  test('a step whose condition is false is skipped, once decided not decided again in the pass', () => {
    const steps = [stepOf('a'), stepOf('b', { condition: "needs == 'b'" }), stepOf('c')]
    const skipped = started(workflowOf(steps)).play({ type: 'report', of: 'a', payload: { needs: 'c' } })
    expect(skipped.statuses()).toEqual({ a: 'completed', b: 'skipped', c: 'running' })
    const run = started(workflowOf(steps)).play({ type: 'report', of: 'a', payload: { needs: 'b' } })
    run.play({ type: 'ended', of: 'b' }, { type: 'start' })
    expect(run.launches()).toEqual(['a', 'b', 'b'])
  })

  test('a skipped step leads nowhere itself: the next in the list follows', () => {
    const steps = [stepOf('a'), stepOf('b', { condition: 'again', onSuccess: 'a' }), stepOf('c')]
    const passed = started(workflowOf(steps)).play({ type: 'report', of: 'a', payload: { again: false } })
    expect(passed.launches()).toEqual(['a', 'c'])
    const looped = started(workflowOf(steps))
      .play({ type: 'report', of: 'a', payload: { again: true } })
      .done('b')
    expect(looped.launches()).toEqual(['a', 'b', 'a'])
    const last = [stepOf('a'), stepOf('b', { condition: 'again', finalStep: true }), stepOf('c')]
    const open = started(workflowOf(last)).play({ type: 'report', of: 'a', payload: { again: false } })
    expect(open.launches()).toEqual(['a', 'c'])
  })

  test('what an earlier pass of the step said decides nothing in this one', () => {
    const steps = [
      stepOf('review'),
      stepOf('rework', { condition: "verdict == 'changes'", onSuccess: 'review' }),
      stepOf('publish'),
    ]
    const stage = started(workflowOf(steps))
    for (const _ of ['first', 'second'])
      stage.play({ type: 'report', of: 'review', payload: { verdict: 'changes' } }).done('rework')
    stage.play({ type: 'report', of: 'review', payload: { verdict: 'good' } })
    expect(stage.launches()).toEqual(['review', 'rework', 'review', 'rework', 'review', 'publish'])
  })

  test('one that cannot be decided skips its step, and the document says why', () => {
    const stage = started(workflowOf([stepOf('a'), stepOf('b', { condition: 'score > 3' }), stepOf('c')])).done('a')
    expect(stage.launches()).toEqual(['a', 'c'])
    expect(stage.document.route_note).toMatch(/^score > 3: /)
  })

  test('steps of other lists that have its id are not meant', () => {
    const fix = workflowOf([stepOf('review')], { name: 'fix' })
    const steps = [
      stepOf('review'),
      stepOf('decide', { agentType: null, routes: [when("steps.review.verdict == 'good'", 'end'), otherwise('fix')] }),
    ]
    const stage = started(workflowOf(steps), [fix]).play({ type: 'report', of: 'review', payload: { verdict: 'good' } })
    expect(stage.document.state).toBe('completed')
  })

  test('a first step that is skipped, too', () => {
    expect(started(workflowOf([stepOf('a', { condition: 'false' }), stepOf('b')])).launches()).toEqual(['b'])
  })
})

describe('parallel steps', () => {
  const steps = [
    stepOf('plan'),
    stepOf('fork', { agentType: null, parallel: ['x', 'y'] }),
    stepOf('x'),
    stepOf('y'),
    stepOf('join'),
  ]

  test('run at the same time, under runs of their own, and what follows waits for all', () => {
    const stage = started(workflowOf(steps)).done('plan')
    expect(stage.statuses()).toMatchObject({ fork: 'completed', x: 'running', y: 'running', join: 'pending' })
    expect(stage.attemptOf('x')).not.toBe(stage.attemptOf('y'))
    stage.done('y')
    expect(stage.statuses()).toMatchObject({ y: 'completed', join: 'pending' })
    stage.done('x', 'join')
    expect(stage.document.state).toBe('completed')
    expect(stage.launches()).toEqual(['plan', 'x', 'y', 'join'])
  })

  test('a step may run beside its own members', () => {
    const stage = started(workflowOf([stepOf('a', { parallel: ['b'] }), stepOf('b'), stepOf('c')])).done('a', 'b')
    expect(stage.launches()).toEqual(['a', 'b', 'c'])
  })

  test('one that fails fails all, and a retry runs again what was not through', () => {
    const stage = started(workflowOf(steps)).done('plan', 'x').play({ type: 'ended', of: 'y' })
    expect(stage.document.state).toBe('failed')
    stage.play({ type: 'start' }).done('y', 'join')
    expect(stage.launches()).toEqual(['plan', 'x', 'y', 'y', 'join'])
  })

  test('one that still ran beside the failed one runs again, under another attempt', () => {
    const stage = started(workflowOf(steps)).done('plan')
    const before = stage.attemptOf('x')
    stage.play({ type: 'ended', of: 'y' }, { type: 'start' })
    expect(stage.attemptOf('x')).not.toBe(before)
    expect(stage.document.steps[2]?.passes).toMatchObject([{ attempt_id: before }])
    stage.done('x', 'y', 'join')
    expect(stage.document.state).toBe('completed')
  })

  test('one that is blocked pauses, the others finish, and it runs again when a person says so', () => {
    const stage = started(workflowOf(steps)).done('plan').play({ type: 'report', of: 'x', status: 'blocked' })
    expect(stage.document).toMatchObject({ state: 'paused', paused_reason: 'x says so' })
    stage.play({ type: 'resume' }, { type: 'start' }).done('x', 'y', 'join')
    expect(stage.launches()).toEqual(['plan', 'x', 'y', 'x', 'join'])
  })
})

describe('what was not started', () => {
  test('is launched again under another attempt, and no run counts', () => {
    const stage = started(workflowOf([stepOf('a', { condition: 'true' })]))
    const before = stage.attemptOf('a')
    stage.play({ type: 'not-started', of: 'a' }, { type: 'start' })
    expect(stage.attemptOf('a')).not.toBe(before)
    expect(stage.done('a').document).toMatchObject({ state: 'completed', steps: [{ passes: [], interruptions: 0 }] })
  })
})

describe('what a document keeps', () => {
  test('is bounded, whatever agents say', () => {
    const stage = started(workflowOf([stepOf('a', { maxIterations: 20 }), stepOf('b', { onSuccess: 'a' })]))
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`member${n}`, 'x'.repeat(900)]))
    const event = stage.event({ type: 'report', of: 'a', payload: many })
    if (event.type === 'report') event.completion.summary = 'long '.repeat(1_000_000)
    stage.apply(event)
    for (let n = 0; n < 10; n += 1) stage.done('b').play({ type: 'report', of: 'a', payload: many })
    expect(stage.document.steps[0]?.passes).toHaveLength(10)
    expect(JSON.stringify(stage.document).length).toBeLessThan(250_000)
  })
})

describe('retries and time', () => {
  const retry = { maxRetries: 2, backoff: 'exponential', initialDelayMs: 1000 } as const

  test('a policy runs the step again after its delays, and then the task fails for good', () => {
    const stage = started(workflowOf([stepOf('a', { retry })])).play({ type: 'ended', of: 'a' })
    expect(nextDueMs(stage.document)).toBe(startMs + 1000)
    expect(isDue(stage.document, new Date(startMs + 999).toISOString())).toBe(false)
    stage.wait(1000)
    stage.play({ type: 'start' }, { type: 'ended', of: 'a' })
    expect(nextDueMs(stage.document)).toBe(startMs + 3000)
    stage.wait(2000)
    stage.play({ type: 'start' }, { type: 'ended', of: 'a' })
    expect(stage.effects.at(-1)).toEqual({ type: 'fail-task', error: 'a broke', fatal: true })
    expect(stage.launches()).toEqual(['a', 'a', 'a'])
    stage.play({ type: 'start' }, { type: 'ended', of: 'a' })
    expect(stage.document).toMatchObject({ state: 'running', steps: [{ retry_count: 1, passes: [{}, {}, {}] }] })
  })

  test('a workflow that takes too long fails for good', () => {
    const stage = started(workflowOf([stepOf('a')], { timeoutMs: 60_000 }))
    stage.wait(59_999)
    stage.play({ type: 'deadline' })
    expect(stage.document.state).toBe('running')
    stage.wait(1)
    stage.play({ type: 'deadline' })
    expect(stage.document).toMatchObject({
      state: 'failed',
      failure: { error: 'The workflow took longer than its 60 s.' },
    })
  })
})

test('documents of the earlier implementation keep the form of what they say', () => {
  const routes: unknown = JSON.parse(`[{ "when": "ok == 'yes'", "then": "b", "extra": 1 }, { "default": "a" }]`)
  const { steps } = readDocument({
    id: 'w',
    state: 'pending',
    current_step: 0,
    steps: [{ name: 'a', routes, retry: 'x' } as JsonObject],
  })
  expect(steps[0]?.routes).toEqual(routes)
  const step = { name: 'a', agent: '@developer', parallel_with: [2] }
  expect(readDocument({ id: 'w', state: 'running', current_step: 0, steps: [step] }).steps).toMatchObject([
    { agent: { name: '@developer' }, parallel_with: [2] },
  ])
})
