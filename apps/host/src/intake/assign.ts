import { type Completion, eachItem, type ReportedCompletion, type WorkflowStore } from '@nexus/core'
import { type Step, type WorkflowDocument, whyNotAnswer } from '@nexus/engine'
import type { Hold, Holds } from '../loop/hold.ts'

/** Whether a report without an attempt fits this step, whatever its status: an in-progress one belongs to the run as well. */
const isAbout = (document: WorkflowDocument, step: Step, report: ReportedCompletion, project: string): boolean => {
  const as: Completion = {
    ...report,
    status: 'complete',
    project,
    reportId: step.attempt_id,
    dedupKey: '',
    rev: '',
    createdAt: new Date(0),
    savedAt: new Date(0),
  }
  return whyNotAnswer(document, step, as) === null
}

/** The held attempt that a report without one must be about: the one running step that it answers. */
export const attemptFor = (holds: Holds, report: ReportedCompletion, project: string): string | null => {
  const found: string[] = []
  for (const { task, issueNumber, document } of holds.values()) {
    if (!document || task.project !== project || issueNumber !== report.issueNumber) continue
    for (const step of document.steps) {
      if (step.status === 'running' && step.attempt_id !== null && isAbout(document, step, report, project))
        found.push(step.attempt_id)
    }
  }
  return found.length === 1 ? (found[0] ?? null) : null
}

/** The hold that an attempt belongs to, of the present step or an earlier one. */
export const holdOf = (holds: Holds, attempt: string): Hold | null =>
  [...holds.values()].find(
    ({ runs, document }) => runs.has(attempt) || document?.steps.some((step) => step.attempt_id === attempt),
  ) ?? null

/** The project of the one workflow of an issue that is under way, in any host; null where there is none or several. */
export const onlyRunningProject = async (
  workflows: Pick<WorkflowStore, 'list'>,
  issueNumber: string,
): Promise<string | null> => {
  const projects = new Set<string>()
  for await (const item of eachItem((page) => workflows.list({ ...page, state: 'running' })))
    if (item.issueNumber === issueNumber && item.project) projects.add(item.project)
  return projects.size === 1 ? ([...projects][0] ?? null) : null
}
