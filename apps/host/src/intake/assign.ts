import { type Completion, eachItem, type ReportedCompletion, type WorkflowStore } from '@nexus/core'
import { whyNotAnswer } from '@nexus/engine'
import type { Hold, Holds } from '../loop/hold.ts'

/** The held attempt that a report without one must be about: the one running step that it answers. */
export const attemptFor = (holds: Holds, report: ReportedCompletion, project: string): string | null => {
  const found: string[] = []
  for (const { task, issueNumber, document } of holds.values()) {
    const step = document?.steps.find(({ status }) => status === 'running')
    if (!document || !step?.attempt_id || task.project !== project || issueNumber !== report.issueNumber) continue
    const as: Completion = {
      ...report,
      // In-progress reports belong to the run as much as its last word does.
      status: 'complete',
      project,
      reportId: step.attempt_id,
      dedupKey: '',
      rev: '',
      createdAt: new Date(0),
      savedAt: new Date(0),
    }
    if (whyNotAnswer(document, step, as) === null) found.push(step.attempt_id)
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
