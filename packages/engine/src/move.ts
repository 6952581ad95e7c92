import type { Approval, Holding, Step, WorkflowDocument } from './document.ts'
import { nthAttempt, stepName } from './document.ts'
import type { Advance, Effect, Launch } from './event.ts'
import { decide, type Verdict } from './expression.ts'
import { groupOf, variablesOf, wayFrom } from './route.ts'

/** What moves a workflow: when, into which runs, and who holds its task. */
export interface Occasion {
  at: string
  launch: Launch
  holding: Holding
}

/** What an event makes of a document that it does not fit, or was applied to before. */
export const unchanged = (document: WorkflowDocument): Advance => ({ document, effects: [] })

export const withStep = (document: WorkflowDocument, index: number, change: Partial<Step>): WorkflowDocument => ({
  ...document,
  steps: document.steps.map((step, at) => (at === index ? { ...step, ...change } : step)),
})

/** So many of a step's passes keep what was reported whole. */
const wholePasses = 3

/** The step as it is before a new run: what the last one was goes to the passes. */
const setAside = (step: Step, endedAt: string): Partial<Step> => {
  if (step.attempt_id === null && step.report === null) return {}
  const { attempt_id, launched_at, completed_at, error, report } = step
  const pass = { attempt_id, launched_at, ended_at: completed_at ?? endedAt, error, report }
  // What was said long ago stays in its summary.
  const earlier = step.passes.map((one, index) =>
    one.report && index < step.passes.length - wholePasses ? { ...one, report: { ...one.report, payload: {} } } : one,
  )
  return {
    passes: [...earlier, pass],
    attempt_id: null,
    launched_at: null,
    report: null,
    error: null,
    completed_at: null,
  }
}

/** Whether a group of steps has still to get through one of these. */
export const isOpen = (step: Step | undefined): boolean =>
  step !== undefined && ['pending', 'running', 'failed'].includes(step.status)

const askApproval = (at: string): Approval => ({
  status: 'waiting',
  asked_at: at,
  decided_at: null,
  by: null,
  comment: null,
})

const wordsOf = ({ by, comment }: Approval): string => `by ${by ?? 'a person'}${comment ? `: ${comment}` : ''}`

export const failed = (
  document: WorkflowDocument,
  { at, holding }: Pick<Occasion, 'at' | 'holding'>,
  error: string,
  fatal: boolean,
): Advance => {
  // Others that run beside it end with it; a retry runs them anew.
  const steps = document.steps.map(
    (step): Step =>
      step.status === 'running' ? { ...step, status: 'pending', error: 'the workflow failed', completed_at: at } : step,
  )
  const failure = { ...holding, error, fatal }
  return { document: { ...document, steps, state: 'failed', failure }, effects: [{ type: 'fail-task', error, fatal }] }
}

const paused = (document: WorkflowDocument, reason: string, effects: Effect[]): Advance => ({
  document: { ...document, state: 'paused', paused_reason: reason },
  effects: [...effects, { type: 'pause-task', reason }],
})

const finished = (document: WorkflowDocument, occasion: Occasion, effects: Effect[]): Advance => {
  const approval = document.merge_approval
  if (document.require_human_merge_approval && approval?.status !== 'approved') {
    if (approval?.status === 'rejected')
      return failed(document, occasion, `The result was rejected ${wordsOf(approval)}`, true)
    const merge_approval = approval ?? askApproval(occasion.at)
    return paused({ ...document, merge_approval }, 'The result waits for approval.', effects)
  }
  const steps = document.steps.map((step): Step => (step.status === 'pending' ? { ...step, status: 'skipped' } : step))
  const over = { ...document, steps, state: 'completed', completed_at: occasion.at, paused_reason: null }
  return { document: over, effects: [...effects, { type: 'complete-task' }] }
}

/** Enters the step at this index. Going back, what lies between runs again, approvals included. */
const enter = (document: WorkflowDocument, next: number): WorkflowDocument => {
  const here = document.current_step
  const target = document.steps[next]
  const isOther = target?.workflow !== document.steps[here]?.workflow
  const isBack = target !== undefined && (isOther ? target.status !== 'pending' : next <= here)
  const again = (index: number): boolean =>
    isBack && (isOther ? document.steps[index]?.workflow === target.workflow : index >= next && index <= here)
  const rerun = new Set([...document.steps.keys()].filter(again).flatMap((index) => groupOf(document, index)))
  const steps = document.steps.map((step, index): Step => {
    const iteration = step.iteration + (isBack && index === next ? 1 : 0)
    if (rerun.has(index))
      return { ...step, iteration, status: 'pending', approval: null, error: null, retry_count: 0, interruptions: 0 }
    const isPassed = !isOther && !isBack && index > here && index < next && step.workflow === target?.workflow
    return isPassed && step.status === 'pending' ? { ...step, status: 'skipped' } : step
  })
  return { ...document, steps, current_step: next }
}

export const launched = (step: Step, { at, launch }: Occasion, attempt: string): Partial<Step> => ({
  ...setAside(step, at),
  status: 'running',
  started_at: step.started_at ?? at,
  completed_at: null,
  error: null,
  retry_at: null,
  attempt_id: attempt,
  launched_at: at,
  baseline: launch.baseline,
  baseline_partial: launch.isPartial,
})

/** What a step of the present group that has not run waits for, or that it may. */
type Readiness = 'skip' | 'no-agent' | 'nobody' | 'approval' | 'rejected' | 'later' | 'launch'

/** Documents of the earlier implementation have gates in words. */
const isGated = (step: Step): boolean =>
  step.require_human_approval || (Array.isArray(step['approval_gates']) && step['approval_gates'].length > 0)

const readiness = (step: Step, at: string, verdict: Verdict): Readiness => {
  if (step.retry_at !== null && Date.parse(step.retry_at) > Date.parse(at)) return 'later'
  if (!verdict.value) return 'skip'
  if (isGated(step) && step.approval?.status !== 'approved')
    return step.approval?.status === 'rejected' ? 'rejected' : 'approval'
  if (step.agent.name === 'router' || (step.agent.name === '' && step.routes.length + step.parallel_with.length > 0))
    return 'no-agent'
  return step.agent.name === '' ? 'nobody' : 'launch'
}

/** Whether its condition lets it run. Decided once in a pass: not again after a run that failed or was blocked. */
const verdictOn = (document: WorkflowDocument, step: Step): Verdict =>
  step.condition === null || step.error !== null
    ? { value: true, problem: null }
    : decide(step.condition, variablesOf(document, step))

const namesOf = (steps: readonly Step[]): string =>
  `${steps.length > 1 ? 'Steps' : 'Step'} ${steps.map(stepName).join(', ')} ${steps.length > 1 ? 'wait' : 'waits'}`

/** A step of the present group that has not run in this pass. */
interface Member {
  index: number
  step: Step
  ready: Readiness
  /** Why its condition could not be decided. */
  problem: string | null
}

const pendingOf = (document: WorkflowDocument, at: string): Member[] =>
  groupOf(document, document.current_step).flatMap((index) => {
    const step = document.steps[index]
    if (step?.status !== 'pending') return []
    const verdict = verdictOn(document, step)
    return [{ index, step, ready: readiness(step, at, verdict), problem: verdict.problem }]
  })

/** What keeps the whole group from going on: then none of it is launched. */
const refusalOf = (members: readonly Member[]): string | null => {
  const member = members.find(({ ready }) => ready === 'nobody' || ready === 'rejected')
  if (!member) return null
  const { step, ready } = member
  if (ready === 'nobody' || !step.approval) return `Step ${stepName(step)} names no agent.`
  return `Step ${stepName(step)} was rejected ${wordsOf(step.approval)}`
}

/** What becomes of a member that may not be launched now. */
const settled = ({ step, ready }: Member, at: string): Partial<Step> => {
  if (ready === 'skip') return { status: 'skipped' }
  if (ready === 'no-agent') return { status: 'completed', started_at: at, completed_at: at }
  return ready === 'approval' && step.approval === null ? { approval: askApproval(at) } : {}
}

/**
 * Brings a running workflow as far as it goes without an agent's or a person's word: launches the steps of its present
 * group that may run, and where the group is through, goes on to the next. Where nothing can be done, nothing changes.
 */
export const proceed = (given: WorkflowDocument, occasion: Occasion): Advance => {
  const { at, launch } = occasion
  const effects: Effect[] = []
  let document = given
  for (;;) {
    const group = groupOf(document, document.current_step)
    const members = pendingOf(document, at)
    const refusal = refusalOf(members)
    if (refusal !== null) return failed(document, occasion, refusal, true)
    for (const member of members) {
      const { index, step, ready, problem } = member
      if (problem !== null) document = { ...document, route_note: `${step.condition}: ${problem}` }
      const change = settled(member, at)
      if (Object.keys(change).length > 0) document = withStep(document, index, change)
      if (ready !== 'launch') continue
      const attempt = nthAttempt(launch.attempt, effects.length)
      document = withStep(document, index, launched(step, occasion, attempt))
      effects.push({ type: 'launch', step: stepName(step), attempt })
    }
    const waiting = members.filter(({ ready }) => ready === 'approval').map(({ step }) => step)
    const isAtWork = group.some((index) => document.steps[index]?.status === 'running')
    if (waiting.length > 0 && !isAtWork) return paused(document, `${namesOf(waiting)} for approval.`, effects)
    if (group.some((index) => isOpen(document.steps[index]))) return { document, effects }
    const { to, note } = wayFrom(document, document.current_step)
    document = { ...document, route_note: note ?? document.route_note }
    if (to === 'unknown') return failed(document, occasion, `The workflow cannot go on: ${note}.`, true)
    if (to === 'end') return finished(document, occasion, effects)
    document = enter(document, to)
    const step = document.steps[to]
    if (step && step.iteration > step.max_iterations) {
      const error = `The workflow came back to step ${stepName(step)} more than ${step.max_iterations} times.`
      return failed(document, occasion, error, true)
    }
  }
}
