import { type Completion, eachItem, type Page, type PageRequest, StoreError } from '@nexus/core'
import { answers, type Step, stepName, type WorkflowDocument, whyNotAnswer } from '@nexus/engine'
import type { HostTools } from '../host-tools.ts'

type Tools = Pick<HostTools, 'stores' | 'logger' | 'explain' | 'isTakenNews'>

export interface Reported {
  /** Everything reported on the issue that is the project's or nobody's, latest first. */
  records: Completion[]
  /** The record that answers the running step. */
  answer: Completion | null
  /** Only what is known while a backend is down: that there is no answer proves nothing. */
  isPartial: boolean
}

/** What a step meets whose agent may have reported where nobody can look now: it is neither failed nor started again. */
export const unproven = (): StoreError =>
  new StoreError({
    code: 'unavailable',
    message: 'Whether the agent has reported is known when the completion store is back.',
  })

const readIssue = async ({ stores }: Tools, issueNumber: string, project: string) => {
  const records: Completion[] = []
  let isPartial = false
  const history = async (request: PageRequest): Promise<Page<Completion>> => {
    const page = await stores.completions.history(issueNumber, request)
    isPartial ||= page.stale === true
    return page
  }
  for await (const item of eachItem(history)) if (item.project === project || item.project === null) records.push(item)
  return { records, isPartial }
}

/** Whether another workflow of the issue is under way, so that a record without a project could be its answer. */
const hasRival = async ({ stores }: Tools, issueNumber: string, workflowId: string): Promise<boolean> => {
  for await (const item of eachItem((page) => stores.workflows.list({ ...page, state: 'running' })))
    if (item.issueNumber === issueNumber && item.id !== workflowId) return true
  return false
}

/**
 * Gives a record that a program without projects wrote to this workflow's project, where nobody else can be meant: it
 * names the attempt or the workflow, or this is the only one of the issue under way.
 */
const adopt = async (
  tools: Tools,
  record: Completion,
  place: { project: string; issueNumber: string; workflowId: string; attempt: string | null },
): Promise<boolean> => {
  const isNamed = record.reportId === place.attempt || record.payload['workflow_id'] === place.workflowId
  if (!isNamed && (await hasRival(tools, place.issueNumber, place.workflowId))) return false
  const assigned = await tools.stores.completions.assign(record.dedupKey, place.project)
  if (assigned.status === 'taken' && tools.isTakenNews(`${record.dedupKey} ${record.rev}`))
    tools.logger.warn('a completion without a project stays so: the project has one of its name', {
      key: record.dedupKey,
    })
  return assigned.status === 'assigned'
}

/** Reads what was reported on the issue, and which of it answers the running step. */
export const readReported = async (
  tools: Tools,
  document: WorkflowDocument,
  step: Step,
  place: { project: string; issueNumber: string; workflowId: string },
): Promise<Reported> => {
  for (;;) {
    const { records, isPartial } = await readIssue(tools, place.issueNumber, place.project)
    tools.explain(document, step, records)
    const fitting = records.filter((record) => answers(document, step, record))
    const own = fitting.find(({ project }) => project !== null)
    if (own) return { records, answer: own, isPartial }
    const [foreign] = fitting
    if (!foreign || !(await adopt(tools, foreign, { ...place, attempt: step.attempt_id })))
      return { records, answer: null, isPartial }
  }
}

/** What a person needs to know of a step whose agent ended and said nothing that counts. */
export const unanswered = (
  document: WorkflowDocument,
  step: Step,
  records: readonly Completion[],
  whyUnreadable: string | null,
): string => {
  const near = records.find((record) => record.reportId === step.attempt_id || !step.baseline.includes(record.rev))
  const why = near ? whyNotAnswer(document, step, near) : null
  if (why !== null)
    return `without a report on step ${stepName(step)}; one by ${near?.agentType ?? ''} does not count: ${why}`
  const unreadable = whyUnreadable?.replace(/\.$/, '')
  return unreadable ? `without a report; its summary file cannot be read: ${unreadable}` : 'without a report'
}
