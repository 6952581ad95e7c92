import { describe, expect, test } from 'vitest'
import { started, stepOf, workflowOf } from './stage.ts'

describe('people', () => {
  const gated = workflowOf([stepOf('build'), stepOf('deploy', { requireApproval: true })])
  const waits = { type: 'pause-task', reason: 'Step deploy waits for approval.' }

  test('a step that needs approval is not started before it', () => {
    const stage = started(gated).done('build')
    expect(stage.effects.at(-1)).toEqual(waits)
    stage.play({ type: 'start' }, { type: 'resume' }, { type: 'start' })
    expect(stage.launches()).toEqual(['build'])
    stage.play({ type: 'approve', by: 'ann', comment: null }, { type: 'start' }).done('deploy')
    expect(stage.document).toMatchObject({
      state: 'completed',
      steps: [{}, { approval: { by: 'ann', status: 'approved' } }],
    })
  })

  test('what is rejected fails for good, and asks again when it is retried', () => {
    const stage = started(gated)
      .done('build')
      .play({ type: 'reject', by: 'ann', comment: 'not on friday' }, { type: 'start' })
    expect(stage.effects.at(-1)).toEqual({
      type: 'fail-task',
      error: 'Step deploy was rejected by ann: not on friday',
      fatal: true,
    })
    stage.play({ type: 'retry', step: null }, { type: 'start' }, { type: 'start' })
    expect(stage.effects.at(-1)).toEqual(waits)
  })

  test('the first step may need approval', () => {
    const stage = started(workflowOf([stepOf('deploy', { requireApproval: true })])).play({ type: 'start' })
    expect(stage.effects).toEqual([waits])
  })

  test('the result may need approval', () => {
    const stage = started(workflowOf([stepOf('a')], { requireMergeApproval: true })).done('a')
    expect(stage.document).toMatchObject({ state: 'paused', paused_reason: 'The result waits for approval.' })
    stage.play({ type: 'approve', by: 'ann', comment: null }, { type: 'start' })
    expect(stage.document.state).toBe('completed')
  })

  test('a pause keeps the run, and a resume goes on with it', () => {
    const stage = started(gated).play({ type: 'pause', reason: 'lunch' })
    expect(stage.done('build').statuses()).toMatchObject({ build: 'running' })
    stage.play({ type: 'resume' }).done('build')
    expect(stage.statuses()).toMatchObject({ build: 'completed' })
  })

  test('of steps side by side one may run again, and what follows is still theirs to say', () => {
    const checks = stepOf('checks', {
      agentType: null,
      parallel: ['security', 'style'],
      routes: [{ when: "steps.security.verdict == 'bad'", to: 'develop' }],
    })
    const steps = [stepOf('develop'), checks, stepOf('security'), stepOf('style'), stepOf('publish')]
    const stage = started(workflowOf(steps)).done('develop', 'style').play({ type: 'ended', of: 'security' })
    stage.play({ type: 'retry', step: 'security' }, { type: 'start' })
    expect(stage.statuses()).toMatchObject({ security: 'running', style: 'completed' })
    stage.play({ type: 'report', of: 'security', payload: { verdict: 'bad' } })
    expect(stage.launches()).toEqual(['develop', 'security', 'style', 'security', 'develop'])
  })

  test('where one of several is rejected, none of them is started', () => {
    const steps = [stepOf('a', { parallel: ['b'] }), stepOf('b', { requireApproval: true })]
    const stage = started(workflowOf(steps)).play({ type: 'report', of: 'a', status: 'blocked' })
    stage.play({ type: 'reject', by: 'ann', comment: null }, { type: 'start' })
    expect(stage.launches()).toEqual(['a'])
    expect(stage.document).toMatchObject({ state: 'failed', steps: [{ passes: [] }, {}] })
  })

  test('a person who pauses while one step waits for approval may let the other go on', () => {
    const steps = [stepOf('a', { parallel: ['b'] }), stepOf('b', { requireApproval: true })]
    const stage = started(workflowOf(steps)).play({ type: 'pause', reason: 'lunch' }, { type: 'resume' }).done('a')
    expect(stage.document).toMatchObject({ state: 'paused', paused_reason: 'Step b waits for approval.' })
  })

  test('a person may have a failed workflow begin at an earlier step', () => {
    const stage = started(workflowOf([stepOf('a'), stepOf('b'), stepOf('c')]))
      .done('a', 'b')
      .play({ type: 'ended', of: 'c' })
    stage.play({ type: 'retry', step: 'b' }, { type: 'start' }).done('b', 'c')
    expect(stage.launches()).toEqual(['a', 'b', 'c', 'b', 'c'])
    expect(stage.document.state).toBe('completed')
  })
})
