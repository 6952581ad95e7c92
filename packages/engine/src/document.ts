import { type JsonObject, StoreError, type Workflow } from '@nexus/core'
import { z } from 'zod'

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
})

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
  agent: z.looseObject({ name: z.string().catch('') }).catch({ name: '' }),
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

/** Which hold on the inbox task saw the failure: tells a retry from a failure nobody has told the inbox yet. */
const Failure = z.looseObject({ error: z.string(), attempts: z.number(), recoveries: z.number(), epoch: z.number() })
export type Failure = z.output<typeof Failure>

const Document = z.looseObject({
  state: z.string(),
  current_step: count,
  completed_at: textOrNull,
  steps: z.array(Step).min(1),
  metadata: z.looseObject({}).catch({}),
  /** While paused by an agent: its words. */
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

export const currentStep = (document: WorkflowDocument): Step | null => document.steps[document.current_step] ?? null

const attemptPattern = /^at-[0-9a-z]{8,40}$/

export const createAttemptId = (id: string): string => `at-${id}`

/** True for ids that some host of this kind gave out: such a report is about that run and no other. */
export const isAttemptId = (reportId: string): boolean => attemptPattern.test(reportId)

/** Every attempt that this workflow ever had, the present one included. */
export const attemptsOf = (document: WorkflowDocument): string[] =>
  document.steps
    .flatMap((step) => [...step.passes.map((pass) => pass.attempt_id), step.attempt_id])
    .filter((id) => id !== null)
    .filter(isAttemptId)
