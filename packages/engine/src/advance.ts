import type { Completion, JsonObject } from '@nexus/core'
import { control } from './control.ts'
import type { Step, WorkflowDocument } from './document.ts'
import type { Advance, EngineEvent, Launch } from './event.ts'
import { failed, isOpen, launched, type Occasion, proceed, unchanged, withStep } from './move.ts'
import { answers } from './report.ts'
import { retryAfterMs } from './retry.ts'
import { groupOf } from './route.ts'

/** Runs that may end by no fault of the agent before the step is failed for it. */
const maxInterruptions = 5

/** What stays of a report with its step, in bytes of JSON; beyond it only its shorter members do. */
const maxPayloadBytes = 32_768
const maxMemberBytes = 1_024

/**
 * One step of the workflow state machine: pure, and blind to repetition. An event that was applied before, or comes too
 * late, changes nothing, so that saving the result under the rev that was read makes every effect happen once.
 */
export const advance = (document: WorkflowDocument, event: EngineEvent): Advance => {
  switch (event.type) {
    case 'start':
      return start(document, event)
    case 'report':
      return report(document, event, event.completion)
    case 'baseline':
      return completeBaseline(document, event.attempt, event.launch)
    case 'agent-ended':
      return agentEnded(document, event)
    case 'not-started':
      return notStarted(document, event.attempts)
    case 'deadline':
      return deadline(document, event)
    default:
      return control(document, event)
  }
}

const startable: readonly string[] = ['pending', 'running', 'failed']

/** Documents of the earlier implementation do not always agree with themselves on which step is the active one. */
const activeStep = (document: WorkflowDocument): number => {
  const { steps, current_step: here } = document
  const running = steps.findIndex(({ status }) => status === 'running')
  if (groupOf(document, here).some((index) => isOpen(steps[index]))) return here
  if (running >= 0) return running
  if (steps[here]?.report) return here
  const pending = steps.findIndex(({ status }) => status === 'pending')
  return pending >= 0 ? pending : here
}

const deadlineFrom = (at: string, { timeout_seconds, deadline_at }: WorkflowDocument): string | null =>
  deadline_at ?? (timeout_seconds === null ? null : new Date(Date.parse(at) + timeout_seconds * 1000).toISOString())

/** A step that failed is run again with its policy's retries; one that runs nowhere was left by another program. */
const reopened = (step: Step): Step => {
  if (step.status === 'failed')
    return {
      ...step,
      status: 'pending',
      retry_count: step.retry === null ? step.retry_count + 1 : 0,
      retry_at: null,
      interruptions: 0,
    }
  return step.status === 'running' && step.attempt_id === null ? { ...step, status: 'pending' } : step
}

const start = (document: WorkflowDocument, occasion: Occasion): Advance => {
  if (!startable.includes(document.state)) return unchanged(document)
  if (document.state === 'running' && !document.steps.some((step) => reopened(step) !== step)) {
    const here = activeStep(document)
    const isSame = here === document.current_step && document.paused_reason === null
    return proceed(isSame ? document : { ...document, current_step: here, paused_reason: null }, occasion)
  }
  const begun = {
    ...document,
    state: 'running',
    current_step: activeStep(document),
    started_at: document.started_at ?? occasion.at,
    deadline_at:
      document.state === 'failed'
        ? deadlineFrom(occasion.at, { ...document, deadline_at: null })
        : deadlineFrom(occasion.at, document),
    steps: document.steps.map(reopened),
    completed_at: null,
    paused_reason: null,
    failure: null,
  }
  const next = proceed(begun, occasion)
  // Stores take a workflow out of these states into `running` only; what follows at once is the next event's.
  return next.document.state === 'running' ? next : { document: begun, effects: [] }
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '')

const keptPayload = (payload: JsonObject): JsonObject => {
  if (bytesOf(payload) <= maxPayloadBytes) return payload
  let bytes = 0
  const short = Object.entries(payload).filter(([name, value]) => {
    const size = bytesOf(name) + bytesOf(value)
    if (bytesOf(value) > maxMemberBytes || bytes + size > maxPayloadBytes) return false
    bytes += size
    return true
  })
  return Object.fromEntries(short)
}

/** One line is meant; the store has the whole of it. */
const shortened = (summary: string): string =>
  summary.length > maxMemberBytes ? `${summary.slice(0, maxMemberBytes - 1)}…` : summary

const said = ({ dedupKey, rev, reportId, status, summary, payload }: Completion): Step['report'] => ({
  dedup_key: dedupKey,
  rev,
  report_id: reportId,
  status,
  summary: shortened(summary),
  payload: keptPayload(payload),
})

/** The running step that it answers: the one that it names, else the first that it fits. */
const answeredStep = (document: WorkflowDocument, completion: Completion): number => {
  const fits = [...document.steps.keys()].filter((index) => {
    const step = document.steps[index]
    return step !== undefined && answers(document, step, completion)
  })
  return fits.find((index) => document.steps[index]?.attempt_id === completion.reportId) ?? fits[0] ?? -1
}

const report = (document: WorkflowDocument, occasion: Occasion, completion: Completion): Advance => {
  const index = document.state === 'running' ? answeredStep(document, completion) : -1
  if (index < 0) return unchanged(document)
  const { status, rev } = completion
  const summary = shortened(completion.summary)
  const known = {
    ...document,
    reported_step: index,
    // What one of several answered is no news to the others.
    steps: document.steps.map((step) =>
      step.status === 'running' ? { ...step, baseline: [...step.baseline, rev] } : step,
    ),
  }
  if (status === 'blocked') {
    const blocked = withStep(known, index, { status: 'pending', report: said(completion), error: summary })
    return {
      document: { ...blocked, state: 'paused', paused_reason: summary },
      effects: [{ type: 'pause-task', reason: summary }],
    }
  }
  const change = { completed_at: occasion.at, report: said(completion), interruptions: 0, retry_at: null } as const
  return proceed(withStep(known, index, { status: 'completed', ...change }), occasion)
}

const completeBaseline = (document: WorkflowDocument, attempt: string, { baseline, isPartial }: Launch): Advance => {
  const index = document.steps.findIndex(({ status, attempt_id }) => status === 'running' && attempt_id === attempt)
  if (isPartial || !document.steps[index]?.baseline_partial) return unchanged(document)
  return { document: withStep(document, index, { baseline, baseline_partial: false }), effects: [] }
}

const agentEnded = (document: WorkflowDocument, event: EngineEvent & { type: 'agent-ended' }): Advance => {
  const { attempt, error, fault, at } = event
  const index = document.steps.findIndex(({ status, attempt_id }) => status === 'running' && attempt_id === attempt)
  const step = document.steps[index]
  if (document.state !== 'running' || !step) return unchanged(document)
  if (fault === 'surroundings' && step.interruptions < maxInterruptions) {
    const interrupted = { ...step, error, interruptions: step.interruptions + 1 }
    const next = { ...interrupted, ...launched(interrupted, event, event.launch.attempt) }
    return {
      document: withStep(document, index, next),
      effects: [{ type: 'launch', step: step.id ?? step.name, attempt: event.launch.attempt }],
    }
  }
  const waitMs = retryAfterMs(step)
  if (waitMs !== null) {
    const retry_at = new Date(Date.parse(at) + waitMs).toISOString()
    const again = { status: 'pending', completed_at: at, error, retry_at, retry_count: step.retry_count + 1 } as const
    return proceed(withStep(document, index, { ...again, interruptions: 0 }), event)
  }
  return failed(
    withStep(document, index, { status: 'failed', completed_at: at, error }),
    event,
    error,
    step.retry !== null,
  )
}

const notStarted = (document: WorkflowDocument, attempts: readonly string[]): Advance => {
  const isMeant = ({ status, attempt_id }: Step): boolean =>
    status === 'running' && attempt_id !== null && attempts.includes(attempt_id)
  if (document.state !== 'running' || !document.steps.some(isMeant)) return unchanged(document)
  const nowhere = { status: 'pending', attempt_id: null, launched_at: null, baseline_partial: false } as const
  // With an error its condition is not asked again: it was decided in this pass.
  const error = 'its agent was not started'
  const steps = document.steps.map(
    (step): Step => (isMeant(step) ? { ...step, ...nowhere, baseline: [], error } : step),
  )
  return { document: { ...document, steps }, effects: [] }
}

const deadline = (document: WorkflowDocument, { at, holding }: EngineEvent & { type: 'deadline' }): Advance => {
  const { state, deadline_at, timeout_seconds } = document
  if (state !== 'running' || deadline_at === null || Date.parse(at) < Date.parse(deadline_at))
    return unchanged(document)
  const error = `The workflow took longer than its ${timeout_seconds} s.`
  return failed(document, { at, holding }, error, true)
}

/** Whether a `start` would change anything: then something may run, or the workflow may go on. */
export const isDue = (document: WorkflowDocument, at: string): boolean => {
  const launch = { attempt: 'at-00000000', baseline: [], isPartial: false }
  const holding = { task: '', attempts: 0, recoveries: 0, epoch: 0 }
  return start(document, { at, launch, holding }).document !== document
}

/** When it has to be looked at again though nobody reports: a retry is due, or its time is up. Epoch milliseconds. */
export const nextDueMs = ({ steps, deadline_at }: WorkflowDocument): number | null => {
  const times = steps.flatMap(({ status, retry_at }) => (status === 'pending' && retry_at !== null ? [retry_at] : []))
  const due = [...times, ...(deadline_at === null ? [] : [deadline_at])].map(Date.parse).filter(Number.isFinite)
  return due.length > 0 ? Math.min(...due) : null
}
