import type { Completion, CompletionStatus, JsonObject } from '@nexus/core'
import { advance } from '../src/advance.ts'
import { createDocument } from '../src/create.ts'
import type { StepDefinition, WorkflowDefinition } from '../src/definition.ts'
import type { WorkflowDocument } from '../src/document.ts'
import type { Effect, EngineEvent } from '../src/event.ts'

export const startMs = Date.parse('2026-03-01T12:00:00.000Z')

export const stepOf = (id: string, change: Partial<StepDefinition> = {}): StepDefinition => ({
  id,
  name: id,
  agentType: id,
  prompt: '',
  condition: null,
  onSuccess: null,
  routes: [],
  parallel: [],
  finalStep: false,
  requireApproval: false,
  timeoutMs: null,
  retry: null,
  maxIterations: 3,
  context: {},
  ...change,
})

export const workflowOf = (
  steps: readonly StepDefinition[],
  change: Partial<WorkflowDefinition> = {},
): WorkflowDefinition => ({
  name: 'main',
  version: '1.0',
  description: '',
  timeoutMs: null,
  requireMergeApproval: false,
  ...change,
  steps,
})

export const documentOf = (definition: WorkflowDefinition, others: WorkflowDefinition[] = []): WorkflowDocument =>
  createDocument({
    id: 'shop-1-feature',
    name: 'a task',
    project: 'shop',
    issueNumber: '1',
    description: '',
    metadata: {},
    definition,
    others,
  })

/** What one event says, but for what is fresh in each. */
export type Said =
  | { type: 'start' }
  | { type: 'deadline' }
  | { type: 'resume' }
  | { type: 'pause'; reason: string }
  | { type: 'approve' | 'reject'; by: string; comment: string | null }
  | { type: 'retry'; step: string | null }
  | { type: 'not-started'; of: string }
  | { type: 'report'; of: string; status?: CompletionStatus; payload?: JsonObject }
  | { type: 'ended'; of: string; fault?: 'agent' | 'surroundings' }

/** A workflow played event by event. `of` names a step: its present run is meant. */
export const createStage = (document: WorkflowDocument) => {
  let now = startMs
  let count = 0
  const effects: Effect[] = []
  const stage = {
    document,
    effects,
    /** Lets time pass, in milliseconds. */
    wait: (ms: number) => {
      now += ms
    },
    attemptOf: (id: string) => stage.document.steps.find((step) => step.id === id)?.attempt_id ?? 'at-none0000',
    event: (said: Said): EngineEvent => {
      count += 1
      const at = new Date(now).toISOString()
      const launch = { attempt: `at-${String(count).padStart(8, '0')}`, baseline: [], isPartial: false }
      const holding = { task: 't1', attempts: 0, recoveries: 0, epoch: 1 }
      if (said.type === 'report')
        return { type: 'report', at, launch, holding, completion: completionOf(said, stage.attemptOf(said.of), count) }
      if (said.type === 'ended') {
        const { fault = 'agent', of } = said
        return { type: 'agent-ended', at, launch, holding, attempt: stage.attemptOf(of), error: `${of} broke`, fault }
      }
      if (said.type === 'not-started') return { type: 'not-started', at, attempts: [stage.attemptOf(said.of)] }
      if (said.type === 'start') return { type: 'start', at, launch, holding }
      return said.type === 'deadline' ? { type: 'deadline', at, holding } : { at, ...said }
    },
    apply: (event: EngineEvent) => {
      const next = advance(stage.document, event)
      stage.document = next.document
      effects.push(...next.effects)
      return next
    },
    play: (...all: Said[]) => {
      for (const said of all) stage.apply(stage.event(said))
      return stage
    },
    /** Reports that complete these steps, one after the other. */
    done: (...ids: string[]) => stage.play(...ids.map((of): Said => ({ type: 'report', of }))),
    launches: () => effects.flatMap((effect) => (effect.type === 'launch' ? [effect.step] : [])),
    statuses: () => Object.fromEntries(stage.document.steps.map(({ id, status }) => [id, status])),
  }
  return stage
}

export const started = (definition: WorkflowDefinition, others: WorkflowDefinition[] = []) =>
  createStage(documentOf(definition, others)).play({ type: 'start' })

const completionOf = (
  { of, status = 'complete', payload = {} }: Said & { type: 'report' },
  attempt: string,
  n: number,
): Completion => ({
  project: 'shop',
  issueNumber: '1',
  agentType: of,
  status,
  summary: `${of} says so`,
  payload,
  reportId: attempt,
  dedupKey: `1:${of}:${status}`,
  createdAt: new Date(startMs),
  savedAt: new Date(startMs),
  rev: `rev-${n}`,
})
