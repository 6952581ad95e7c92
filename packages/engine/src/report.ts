import { type Completion, dropModifiedMs, type JsonValue } from '@nexus/core'
import { roleOf } from './definition.ts'
import { isAttemptId, type Step, type WorkflowDocument } from './document.ts'

const isGiven = (value: JsonValue | undefined): value is JsonValue =>
  value !== undefined && value !== null && value !== ''

/** Which part of a report points to another step, or null. */
const pointsElsewhere = (document: WorkflowDocument, step: Step, { payload }: Completion): string | null => {
  const { step_id: id, step_num: num, workflow_id: workflow } = payload
  if (isGiven(id) && String(id) !== step.id && String(id) !== step.name) return `its step_id is ${JSON.stringify(id)}`
  if (isGiven(num) && Number(num) !== step.step_num) return `its step_num is ${JSON.stringify(num)}`
  if (isGiven(workflow) && workflow !== document['id']) return `its workflow_id is ${JSON.stringify(workflow)}`
  return null
}

/** Whether a record that names no run of ours was made for this launch. Times are this host's own. */
const isLaterThanLaunch = (step: Step, { reportId, rev, journaled }: Completion): boolean => {
  if (step.baseline.includes(rev)) return false
  const writtenMs = reportId === null ? null : dropModifiedMs(reportId)
  // The journal was read whole at the launch; what only the backend had then, or got from the journal since, is not news.
  if (writtenMs === null || step.launched_at === null) return !step.baseline_partial || journaled === true
  return writtenMs >= Date.parse(step.launched_at)
}

/** Why this record does not answer the running step, or null where it does. */
export const whyNotAnswer = (document: WorkflowDocument, step: Step, completion: Completion): string | null => {
  const { reportId, agentType, status } = completion
  if (step.status !== 'running' || step.attempt_id === null) return 'the step is not running'
  const isOwn = reportId === step.attempt_id
  if (!isOwn && reportId !== null && isAttemptId(reportId)) return 'it is about another run'
  if (!isOwn && !isLaterThanLaunch(step, completion)) return 'it is older than the launch'
  if (roleOf(agentType) !== roleOf(step.agent.name)) return `its agent_type is ${JSON.stringify(agentType)}`
  if (status !== 'complete' && status !== 'blocked') return `its status is ${JSON.stringify(status)}`
  return pointsElsewhere(document, step, completion)
}

/** Whether this record is the running step's answer: the only thing that advances or pauses a workflow. */
export const answers = (document: WorkflowDocument, step: Step, completion: Completion): boolean =>
  whyNotAnswer(document, step, completion) === null
