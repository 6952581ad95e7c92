import { type JsonObject, StoreError, type Workflow } from '@nexus/core'
import { z } from 'zod'
import { defaultMaxIterations } from './definition.ts'

const stepStatuses = ['pending', 'running', 'completed', 'failed', 'skipped'] as const
const textOrNull = z.union([z.string(), z.null()]).catch(null)
const count = z.coerce.number().int().min(0).catch(0)

/** What one agent said, as far as it stays with the step. */
const StepReport = z.looseObject({
  dedup_key: z.string(),
  rev: z.string(),
  report_id: textOrNull,
  status: z.string(),
  summary: z.string(),
  /** The other members of the report, which routes look at. */
  payload: z.looseObject({}).catch({}),
})

/** A person's word on what must not go on without it. */
const Approval = z.looseObject({
  status: z.enum(['waiting', 'approved', 'rejected']),
  asked_at: textOrNull,
  decided_at: textOrNull,
  by: textOrNull,
  comment: textOrNull,
})
export type Approval = z.output<typeof Approval>

const names = z.array(z.union([z.string(), z.number()])).catch([])

/** An earlier run of a step: of a loop, of a retry, or one that was interrupted. */
const Pass = z.looseObject({
  attempt_id: textOrNull,
  launched_at: textOrNull,
  ended_at: textOrNull,
  error: textOrNull,
  report: StepReport.nullable().catch(null),
})

const Step = z.looseObject({
  id: textOrNull,
  step_num: count,
  name: z.string().catch(''),
  /** Text in some documents of the earlier implementation. */
  agent: z
    .union([z.looseObject({ name: z.string().catch('') }), z.string().transform((name) => ({ name }))])
    .catch({ name: '' }),
  prompt_template: textOrNull,
  timeout: z.number().positive().nullable().catch(null),
  status: z.enum(stepStatuses).catch('pending'),
  started_at: textOrNull,
  completed_at: textOrNull,
  error: textOrNull,
  retry_count: count,
  iteration: count,
  on_success: textOrNull,
  final_step: z.boolean().catch(false),
  condition: textOrNull,
  /** Ways on: `then` (or `goto`) where `when` is true, or `default`. */
  routes: z.array(z.looseObject({})).catch([]),
  /** Ids of the steps that run at the same time. */
  parallel_with: names,
  require_human_approval: z.boolean().catch(false),
  approval: Approval.nullable().catch(null),
  /** Runs after the first one that failed; null: the task's own retries. */
  retry: z.number().int().min(0).nullable().catch(null),
  backoff_strategy: textOrNull,
  /** Seconds before the first retry. */
  initial_delay: z.number().min(0).nullable().catch(null),
  /** Not to be run again before this. */
  retry_at: textOrNull,
  max_iterations: z.number().int().min(0).catch(defaultMaxIterations),
  /** Which workflow's list it stands in; null for the document's own. */
  workflow: textOrNull,
  /** Names the run of this step; saved before the agent is started. */
  attempt_id: textOrNull,
  launched_at: textOrNull,
  /** Revs of the completions that were there before the launch: none of them answers it. */
  baseline: z.array(z.string()).catch([]),
  /** Launched while a backend was down: there may have been others. */
  baseline_partial: z.boolean().catch(false),
  /** Runs that ended by no fault of the agent since the last one that did not. */
  interruptions: count,
  report: StepReport.nullable().catch(null),
  passes: z.array(Pass).catch([]),
})
export type Step = z.output<typeof Step>

/** Which hold on which inbox task an event comes from. */
const Holding = z.looseObject({
  task: z.string().catch(''),
  attempts: z.number(),
  recoveries: z.number(),
  epoch: z.number(),
})
export type Holding = z.output<typeof Holding>

/** Whose hold saw the failure tells a retry from a failure that nobody has told the inbox yet. */
const Failure = Holding.extend({
  error: z.string(),
  /** No retry of the task may mend it. */
  fatal: z.boolean().catch(false),
})

const Document = z.looseObject({
  state: z.string(),
  current_step: count,
  completed_at: textOrNull,
  steps: z.array(Step).min(1),
  metadata: z.looseObject({}).catch({}),
  started_at: textOrNull,
  /** When it must be over. */
  deadline_at: textOrNull,
  timeout_seconds: z.number().positive().nullable().catch(null),
  require_human_merge_approval: z.boolean().catch(false),
  merge_approval: Approval.nullable().catch(null),
  /** The step whose report came last: what routers decide on. */
  reported_step: z.number().int().nullable().catch(null),
  /** How the step after the last one was chosen, where that needs words. */
  route_note: textOrNull,
  /** While paused: why; an agent's own words where it is blocked. */
  paused_reason: textOrNull,
  failure: Failure.nullable().catch(null),
})

/** The serialized workflow (`data`) as the engine sees it: known members typed, every other one kept. */
export type WorkflowDocument = z.output<typeof Document>

/**
 * Reads a stored document, of the earlier implementation too: what is missing reads as not there. One without readable
 * steps is `corrupt`: saving it again would lose them.
 */
export const readDocument = (data: JsonObject): WorkflowDocument => {
  const parsed = Document.safeParse(data)
  if (!parsed.success)
    throw new StoreError({ code: 'corrupt', message: `Workflow ${String(data['id'])} has no steps that can be read.` })
  const document = parsed.data
  return {
    ...document,
    steps: document.steps.map((step, index) => ({ ...step, step_num: step.step_num || index + 1 })),
  }
}

/** The document of a workflow, with the columns' word on state and step. */
export const documentOf = (workflow: Pick<Workflow, 'data' | 'state' | 'currentStep'>): WorkflowDocument =>
  readDocument({ ...workflow.data, state: workflow.state, current_step: workflow.currentStep })

/** What a store takes: the document holds JSON only, since it was read from JSON and changed by the engine alone. */
export const toData = (document: WorkflowDocument): JsonObject => document as JsonObject

export const stepName = (step: Step): string => step.id ?? step.name

/** What its definition says besides (`inputs`, `outputs`, `tools`, …), for the agent; a member without a value says nothing. */
export const contextOf = (step: Step): JsonObject => {
  const own = Object.entries(step).filter(([name, value]) => !(name in Step.shape) && value !== null)
  return Object.fromEntries(own) as JsonObject
}

export const currentStep = (document: WorkflowDocument): Step | null => document.steps[document.current_step] ?? null

// Behind the id, the root whose host started it.
const attemptPattern = /^at-[0-9a-z]{8,40}(-[0-9a-f]{8})?$/

export const createAttemptId = (id: string): string => `at-${id}`

/** True for ids that some host of this kind gave out: such a report is about that run and no other. */
export const isAttemptId = (reportId: string): boolean => attemptPattern.test(reportId)

/** The n-th attempt that one event begins: of the same root. */
export const nthAttempt = (attempt: string, n: number): string =>
  n === 0 ? attempt : attempt.replace(/^at-[0-9a-z]+/, (id) => `${id}${n.toString(36)}`)

/** Every attempt that this workflow ever had, the present one included. */
export const attemptsOf = (document: WorkflowDocument): string[] =>
  document.steps
    .flatMap((step) => [...step.passes.map((pass) => pass.attempt_id), step.attempt_id])
    .filter((id) => id !== null)
    .filter(isAttemptId)

/** The attempts that are under way: more than one where steps run side by side. */
export const runningAttemptsOf = ({ steps }: WorkflowDocument): string[] =>
  steps.flatMap(({ status, attempt_id }) => (status === 'running' && attempt_id !== null ? [attempt_id] : []))
