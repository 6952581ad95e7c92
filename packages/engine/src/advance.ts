import type { Completion } from '@nexus/core'
import { currentStep, type Failure, type Step, stepName, type WorkflowDocument } from './document.ts'
import { answers } from './report.ts'

/** A run that may begin. `attempt` is fresh in every event; only the saved document says which one counts. */
export interface Launch {
  attempt: string
  /** Revs of the completions that exist now. */
  baseline: string[]
  /** Not all of them: a backend is down. */
  isPartial: boolean
}

export type EngineEvent = { /** ISO 8601. */ at: string } & (
  | { type: 'start'; launch: Launch }
  | { type: 'report'; completion: Completion; launch: Launch }
  /** All that was reported until now can be listed again, and none of it answers the step. */
  | { type: 'baseline'; launch: Launch }
  | {
      type: 'agent-ended'
      attempt: string
      error: string
      fault: 'agent' | 'surroundings'
      failure: Failure
      launch: Launch
    }
  | { type: 'cancel'; reason: string }
)

export type Effect =
  /** Start this agent, if this attempt was not started before. */
  | { type: 'launch'; step: string; attempt: string }
  | { type: 'complete-task' }
  | { type: 'fail-task'; error: string }
  | { type: 'pause-task'; reason: string }
  | { type: 'cancel-task'; reason: string }

export interface Advance {
  /** The same object where the event changed nothing. */
  document: WorkflowDocument
  effects: Effect[]
}

/** Runs that may end by no fault of the agent before the step is failed for it. */
const maxInterruptions = 5

/** Times that a definition may come back to one step. */
const maxIterations = 50

/**
 * One step of the workflow state machine: pure, and blind to repetition. An event that was applied before, or comes too
 * late, changes nothing, so that saving the result under the rev that was read makes every effect happen once.
 */
export const advance = (document: WorkflowDocument, event: EngineEvent): Advance => {
  switch (event.type) {
    case 'start':
      return start(document, event.launch, event.at)
    case 'report':
      return report(document, event)
    case 'baseline':
      return completeBaseline(document, event.launch)
    case 'agent-ended':
      return agentEnded(document, event)
    case 'cancel':
      return cancel(document, event)
  }
}

const unchanged = (document: WorkflowDocument): Advance => ({ document, effects: [] })

const withStep = (document: WorkflowDocument, index: number, change: Partial<Step>): WorkflowDocument => ({
  ...document,
  steps: document.steps.map((step, at) => (at === index ? { ...step, ...change } : step)),
})

const finished = (document: WorkflowDocument, at: string): Advance => ({
  document: {
    ...document,
    state: 'completed',
    completed_at: at,
    paused_reason: null,
    failure: null,
    steps: document.steps.map((step) => (step.status === 'pending' ? { ...step, status: 'skipped' } : step)),
  },
  effects: [{ type: 'complete-task' }],
})

/** The step as it stands before a new run: what was said and done goes to its passes. */
const put = (step: Step, endedAt: string): Pick<Step, 'passes'> => {
  if (step.attempt_id === null) return { passes: step.passes }
  const { attempt_id, launched_at, completed_at, error, report } = step
  return { passes: [...step.passes, { attempt_id, launched_at, ended_at: completed_at ?? endedAt, error, report }] }
}

const launchStep = (
  document: WorkflowDocument,
  index: number,
  { attempt, baseline, isPartial }: Launch,
  at: string,
): Advance => {
  const step = document.steps[index]
  if (!step) return finished(document, at)
  const next = withStep(document, index, {
    ...put(step, at),
    status: 'running',
    started_at: step.status === 'completed' ? at : (step.started_at ?? at),
    completed_at: null,
    error: null,
    report: null,
    attempt_id: attempt,
    launched_at: at,
    baseline,
    baseline_partial: isPartial,
  })
  return {
    document: {
      ...next,
      state: 'running',
      current_step: index,
      completed_at: null,
      paused_reason: null,
      failure: null,
    },
    effects: [{ type: 'launch', step: stepName(step), attempt }],
  }
}

/** Begins, continues after a pause, or tries again after a failure: whenever the current step has no run. */
const start = (document: WorkflowDocument, launch: Launch, at: string): Advance => {
  if (!['pending', 'running', 'failed'].includes(document.state)) return unchanged(document)
  const { steps, current_step: here } = document
  const running = steps.findIndex(({ status }) => status === 'running')
  if (document.state === 'running' && steps[running]?.attempt_id) return unchanged(document)
  const isOpen = steps[here]?.status === 'pending' || steps[here]?.status === 'failed'
  // Documents of the earlier implementation do not always agree with themselves on which step is the active one.
  const index = running >= 0 ? running : isOpen ? here : steps.findIndex(({ status }) => status === 'pending')
  if (index < 0) return finished(document, at)
  const retried = document.steps[index]?.status === 'failed'
  const retry_count = (document.steps[index]?.retry_count ?? 0) + (retried ? 1 : 0)
  return launchStep(withStep(document, index, { retry_count, interruptions: 0 }), index, launch, at)
}

const endWords: readonly string[] = ['', 'none', 'done', 'complete', 'finish']

/** Index of the step that follows, or null for none. */
const nextIndex = (document: WorkflowDocument, step: Step, nextAgent: unknown): number | null => {
  const word = typeof nextAgent === 'string' ? nextAgent.trim().replace(/^@/, '').toLowerCase() : null
  if (step.final_step || (word !== null && endWords.includes(word))) return null
  const here = document.current_step
  if (word !== null) {
    const named = document.steps.findIndex(
      ({ agent }, index) => index > here && agent.name.replace(/^@/, '').toLowerCase() === word,
    )
    if (named >= 0) return named
  }
  const after = step.on_success
  const defined = after === null ? -1 : document.steps.findIndex(({ id, name }) => id === after || name === after)
  if (defined >= 0) return defined
  return here + 1 < document.steps.length ? here + 1 : null
}

const report = (document: WorkflowDocument, { completion, launch, at }: EngineEvent & { type: 'report' }): Advance => {
  const step = currentStep(document)
  if (document.state !== 'running' || !step || !answers(document, step, completion)) return unchanged(document)
  const { dedupKey, rev, reportId, status, summary, payload } = completion
  const said = { dedup_key: dedupKey, rev, report_id: reportId, status, summary }
  const here = document.current_step
  if (status === 'blocked') {
    const paused = withStep(document, here, { status: 'pending', report: said, error: summary })
    return {
      document: { ...paused, state: 'paused', paused_reason: summary },
      effects: [{ type: 'pause-task', reason: summary }],
    }
  }
  const done = withStep(document, here, { status: 'completed', completed_at: at, report: said, interruptions: 0 })
  const next = nextIndex(document, step, payload['next_agent'])
  if (next === null) return finished(done, at)
  return moveTo(done, next, launch, at)
}

const moveTo = (document: WorkflowDocument, next: number, launch: Launch, at: string): Advance => {
  const here = document.current_step
  const steps = document.steps.map((step, index): Step => {
    if (index > here && index < next && step.status === 'pending') return { ...step, status: 'skipped' }
    // Going back: what lies between runs again.
    if (index > next && index <= here && index !== next) return { ...step, status: 'pending' }
    if (index === next && next <= here) return { ...step, iteration: step.iteration + 1 }
    return step
  })
  const looped = steps[next]
  if (looped && looped.iteration > maxIterations) {
    const error = `The workflow came back to step ${stepName(looped)} more than ${maxIterations} times.`
    return { document: { ...document, state: 'failed' }, effects: [{ type: 'fail-task', error }] }
  }
  return launchStep({ ...document, steps }, next, launch, at)
}

const completeBaseline = (document: WorkflowDocument, { baseline, isPartial }: Launch): Advance => {
  const step = currentStep(document)
  if (isPartial || step?.status !== 'running' || !step.baseline_partial) return unchanged(document)
  const known = { baseline, baseline_partial: false }
  return { document: withStep(document, document.current_step, known), effects: [] }
}

const agentEnded = (document: WorkflowDocument, event: EngineEvent & { type: 'agent-ended' }): Advance => {
  const { attempt, error, fault, failure, launch, at } = event
  const step = currentStep(document)
  if (document.state !== 'running' || step?.status !== 'running' || step.attempt_id !== attempt)
    return unchanged(document)
  const here = document.current_step
  if (fault === 'surroundings' && step.interruptions < maxInterruptions)
    return launchStep(withStep(document, here, { error, interruptions: step.interruptions + 1 }), here, launch, at)
  const failed = withStep(document, here, { status: 'failed', completed_at: at, error })
  return { document: { ...failed, state: 'failed', failure }, effects: [{ type: 'fail-task', error }] }
}

const cancel = (document: WorkflowDocument, { reason, at }: EngineEvent & { type: 'cancel' }): Advance => {
  if (!['pending', 'running', 'paused'].includes(document.state)) return unchanged(document)
  const running = document.steps.map(
    (step): Step => (step.status === 'running' ? { ...step, status: 'failed', completed_at: at, error: reason } : step),
  )
  return {
    document: { ...document, steps: running, state: 'cancelled', completed_at: at },
    effects: [{ type: 'cancel-task', reason }],
  }
}
