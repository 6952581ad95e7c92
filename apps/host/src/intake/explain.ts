import type { Completion, Logger } from '@nexus/core'
import { type Step, stepName, type WorkflowDocument, whyNotAnswer } from '@nexus/engine'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { createNews } from './news.ts'

/** Tells of reports that a look at a running step found and that do not answer it: each once, however often it is seen. */
export type Explain = (document: WorkflowDocument, step: Step, records: readonly Completion[]) => void

/** The step that the report's run was of, as far as the workflow remembers. */
const stepOf = ({ steps }: WorkflowDocument, { reportId }: Completion): string | null => {
  if (reportId === null) return null
  const found = steps.find(
    ({ attempt_id, passes }) => attempt_id === reportId || passes.some((pass) => pass.attempt_id === reportId),
  )
  return found ? stepName(found) : null
}

/** Whether it says how the work goes on that it could be the answer to. */
const isProgress = (document: WorkflowDocument, step: Step, record: Completion): boolean =>
  record.status === 'in-progress' && whyNotAnswer(document, step, { ...record, status: 'complete' }) === null

/** What was last heard of the steps that run; null where nothing was. */
export const progressOf = (document: WorkflowDocument, records: readonly Completion[]): string | null => {
  const running = document.steps.filter(({ status }) => status === 'running')
  return records.find((record) => running.some((step) => isProgress(document, step, record)))?.summary ?? null
}

export const createExplain = (logger: Pick<Logger, 'info'>, telemetry: Pick<Telemetry, 'reported'>): Explain => {
  const isNews = createNews()

  return (document, step, records) => {
    const running = document.steps.filter(({ status }) => status === 'running')
    for (const record of records) {
      if (step.baseline.includes(record.rev)) continue
      // The answer of a step beside this one is none of this one's business.
      if (
        running.some((other) => whyNotAnswer(document, other, record) === null) ||
        !isNews(`${record.dedupKey} ${record.rev}`)
      )
        continue
      const { project, issueNumber: issue, agentType: agent, status, summary, reportId } = record
      const about = { project, issue, agent, status }
      const isOnTheWay = running.some((other) => isProgress(document, other, record))
      telemetry.reported(isOnTheWay ? 'progress' : 'not_counted')
      if (isOnTheWay) logger.info('agent reports', { ...about, summary })
      else
        logger.info('report does not count', {
          ...about,
          why: whyNotAnswer(document, step, record),
          of_step: stepOf(document, record),
          run: reportId,
          waiting_for: stepName(step),
        })
    }
  }
}
