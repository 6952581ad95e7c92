import type { LogFields } from '@nexus/core'
import {
  advance,
  type Effect,
  type EngineEvent,
  type Holding,
  type Launch,
  type Step,
  toData,
  type WorkflowDocument,
} from '@nexus/engine'
import type { HostTools } from '../host-tools.ts'
import { progressOf } from '../intake/explain.ts'
import type { Hold } from '../loop/hold.ts'
import { type Reported, readReported } from './completions-of.ts'
import type { Scene } from './scene.ts'

/** Now, as documents write it. */
export const timeOf = ({ clock }: Pick<HostTools, 'clock'>): string => new Date(clock.now()).toISOString()

/** Whose hold an event comes from. */
export const holdingOf = ({ hold: { task } }: Scene): Holding => ({
  task: task.id,
  attempts: task.attempts,
  recoveries: task.recoveries,
  epoch: task.claim.epoch,
})

/** What was reported, and a launch that may follow from it: nothing reported until now answers that one. */
export const look = async (tools: HostTools, scene: Scene, step: Step): Promise<Reported & { launch: Launch }> => {
  const { document, project, issueNumber, workflow } = scene
  const place = { project: project.key, issueNumber, workflowId: workflow.id }
  const reported = await readReported(tools, document, step, place)
  const { records, isPartial } = reported
  scene.hold.progress = progressOf(document, records)
  const launch = { attempt: tools.attempts.next(), baseline: records.map(({ rev }) => rev), isPartial }
  return { ...reported, launch }
}

/** Of each run that is over by this event, how long it took. */
const measure = ({ telemetry }: HostTools, { document, at, next }: Change): void => {
  for (const [index, { status, attempt_id: attempt, launched_at: since, agent }] of document.steps.entries()) {
    const after = next.steps[index]
    if (status !== 'running' || since === null || (after?.status === 'running' && after.attempt_id === attempt))
      continue
    telemetry.stepEnded(agent.name, (Date.parse(at) - Date.parse(since)) / 1000)
  }
}

interface Change {
  document: WorkflowDocument
  at: string
  next: WorkflowDocument
}

/** Saves what the event makes of the document. A conflict is no failure: the next look sees what was saved instead. */
export const apply = async (tools: HostTools, scene: Scene, event: EngineEvent): Promise<void> => {
  const { hold, project, issueNumber, workflow, document } = scene
  const result = advance(document, event)
  if (result.document === document) return
  const { id, name } = workflow
  const { state, current_step: step } = result.document
  const input = { id, name, state, currentStep: step, project: project.key, issueNumber, data: toData(result.document) }
  const saved = await tools.stores.workflows.save(input, { ifRev: workflow.rev })
  if (saved.status === 'conflict') return
  hold.document = result.document
  measure(tools, { document, at: event.at, next: result.document })
  const about = { project: project.key, issue: issueNumber, workflow: id }
  if (event.type === 'report') {
    const { agentType, status, summary } = event.completion
    tools.telemetry.reported('answered')
    tools.logger.info('step reported', { ...about, agent: agentType, status, summary })
  }
  for (const effect of result.effects) tell(tools, hold, about, effect)
  const { route_note: note } = result.document
  if (note !== null && note !== document.route_note)
    tools.logger.warn('a route could not be decided', { ...about, note })
}

const tell = ({ logger }: HostTools, hold: Hold, about: LogFields, effect: Effect): void => {
  if (effect.type === 'launch') hold.fresh.add(effect.attempt)
  if (effect.type === 'fail-task') logger.warn('step failed', { ...about, error: effect.error })
}
