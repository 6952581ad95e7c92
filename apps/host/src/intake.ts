import {
  type Completion,
  isStoreError,
  type Logger,
  type Mailbox,
  type ReportedCompletion,
  readReportText,
  type Stores,
} from '@nexus/core'
import { isAttemptId } from './engine/document.ts'
import { whyNotAnswer } from './engine/report.ts'
import { createBell } from './loop/bell.ts'
import type { Hold, Holds } from './loop/hold.ts'

export interface IntakeOptions {
  stores: Pick<Stores, 'completions' | 'workflows'>
  mailboxes: readonly Pick<Mailbox, 'collect' | 'watch'>[]
  holds: Holds
  logger: Logger
  pollMs: number
  /** The project of an attempt that nobody holds any more, as its run folder says. */
  projectOfRun(attempt: string): Promise<string | null>
}

export type PostAnswer =
  | { status: 'stored'; dedupKey: string }
  | { status: 'invalid' | 'foreign-attempt' | 'no-project'; reason: string }

/** Where reports come in. It only writes the completion store and wakes whoever reads it: nothing advances in here. */
export interface Intake {
  /** Imports summary files that lie there now; says how many cannot be read yet. */
  collect(): Promise<{ waiting: number }>
  /** Stores a posted report. `attempt`: whose token it came with; null for the host's own. */
  post(text: string, attempt: string | null): Promise<PostAnswer>
  /** Collects on hints and by polling until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

/** The held attempt that a report without one must be about: the one running step that it answers. */
const attemptFor = (holds: Holds, report: ReportedCompletion, project: string): string | null => {
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

const holdOf = (holds: Holds, attempt: string): Hold | null =>
  [...holds.values()].find(
    ({ runs, document }) => runs.has(attempt) || document?.steps.some((step) => step.attempt_id === attempt),
  ) ?? null

export const createIntake = ({ stores, mailboxes, holds, logger, pollMs, projectOfRun }: IntakeOptions): Intake => {
  const wake = (): void => {
    for (const hold of holds.values()) hold.bell.ring()
  }

  const collectAll = async (): Promise<{ waiting: number }> => {
    let waiting = 0
    for (const mailbox of mailboxes) {
      const collected = await mailbox.collect(stores.completions)
      waiting += collected.waiting
      for (const { path, reason } of collected.rejected)
        logger.warn('summary file is not a report and stays', { path, reason })
      for (const { path, report } of collected.imported)
        logger.debug('summary file read', {
          path,
          issue: report.issueNumber,
          agent: report.agentType,
          status: report.status,
        })
      if (collected.imported.length > 0) wake()
    }
    return { waiting }
  }

  let running: Promise<{ waiting: number }> | null = null
  let next: Promise<{ waiting: number }> | null = null

  /** One at a time; who asks during one gets the next, since the present one may have passed their file already. */
  const collect = (): Promise<{ waiting: number }> => {
    if (!running) {
      running = collectAll().finally(() => {
        running = null
      })
      return running
    }
    next ??= running
      .catch(() => null)
      .then(() => {
        next = null
        return collect()
      })
    return next
  }

  const onlyRunning = async (issueNumber: string): Promise<string | null> => {
    const projects = new Set<string>()
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof stores.workflows.list>> = await stores.workflows.list({
        state: 'running',
        limit: 1000,
        ...(cursor === null ? {} : { cursor }),
      })
      for (const item of page.items) if (item.issueNumber === issueNumber && item.project) projects.add(item.project)
      cursor = page.cursor
    } while (cursor !== null)
    return projects.size === 1 ? ([...projects][0] ?? null) : null
  }

  const projectOf = async (report: ReportedCompletion, attempt: string | null): Promise<string | null> => {
    if (attempt !== null) {
      const project = holdOf(holds, attempt)?.task.project ?? (await projectOfRun(attempt))
      if (project !== null) return project
    }
    const named = report.payload['project']
    if (typeof named === 'string' && named !== '') return named
    return onlyRunning(report.issueNumber)
  }

  const post = async (text: string, tokenAttempt: string | null): Promise<PostAnswer> => {
    const read = readReportText(text)
    if (!read.ok) return { status: 'invalid', reason: read.reason }
    const { report } = read
    const named = report.attemptId
    const isOurs = named !== null && isAttemptId(named)
    if (isOurs && tokenAttempt !== null && named !== tokenAttempt)
      return { status: 'foreign-attempt', reason: 'The token belongs to another attempt than attempt_id names.' }
    const attempt = isOurs ? named : tokenAttempt
    const project = await projectOf(report, attempt)
    if (project === null)
      return {
        status: 'no-project',
        reason: 'Which project is meant? Name it as "project", or the run as "attempt_id".',
      }
    const reportId = attempt ?? named ?? attemptFor(holds, report, project)
    const { issueNumber, agentType, status, summary, payload } = report
    try {
      const saved = await stores.completions.save({
        project,
        issueNumber,
        agentType,
        status,
        summary,
        payload,
        reportId,
      })
      wake()
      return { status: 'stored', dedupKey: saved.dedupKey }
    } catch (error) {
      if (isStoreError(error, 'invalid')) return { status: 'invalid', reason: error.message }
      throw error
    }
  }

  const run = async (signal: AbortSignal): Promise<void> => {
    const bell = createBell()
    const hear = async (mailbox: Pick<Mailbox, 'watch'>): Promise<void> => {
      try {
        for await (const _ of mailbox.watch(signal)) bell.ring()
      } catch (error) {
        if (!signal.aborted) logger.debug('not hearing of summary files; the poll finds them', { error: String(error) })
      }
    }
    const heard = mailboxes.map(hear)
    let failing = false
    while (!signal.aborted) {
      try {
        await collect()
        failing = false
      } catch (error) {
        if (!failing) logger.warn('summary files cannot be taken in now', { error: String(error) })
        failing = true
      }
      await bell.wait(pollMs, signal)
    }
    await Promise.all(heard)
  }

  return { collect, post, run }
}
