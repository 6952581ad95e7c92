import {
  type CompletionSaveResult,
  isStoreError,
  type LogFields,
  type Logger,
  type ReportedCompletion,
  readReportText,
  type Stores,
} from '@nexus/core'
import { isAttemptId } from '@nexus/engine'
import type { Availability } from '../loop/availability.ts'
import { createBell } from '../loop/bell.ts'
import type { Holds } from '../loop/hold.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { attemptFor, holdOf, onlyRunningProject } from './assign.ts'
import { type Collect, type Collector, createCollector, type MailboxSource } from './collector.ts'

export interface IntakeOptions {
  stores: Pick<Stores, 'completions' | 'workflows'>
  mailboxes: readonly MailboxSource[]
  /** Those that come and go with runs; they are looked into, not watched. */
  runMailboxes(): readonly MailboxSource[]
  holds: Holds
  logger: Logger
  telemetry: Pick<Telemetry, 'reported'>
  pollMs: number
  /** Where no task is held: a report is late then, or another host's. */
  idlePollMs: number
  availability: Pick<Availability, 'attempt'>
  /** Whether reports are to wait where they lie. */
  isQuiet(): boolean
  /** The project of an attempt that nobody holds any more, as its run folder says. */
  projectOfRun(attempt: string): Promise<string | null>
}

export type PostAnswer =
  | { status: 'stored'; dedupKey: string }
  | { status: 'invalid' | 'foreign-attempt' | 'no-project'; reason: string }

/** Where reports come in. It only writes the completion store and wakes whoever reads it: nothing advances in here. */
export interface Intake extends Collector {
  /** Stores a posted report. `attempt`: whose token it came with; null for the host's own. */
  post(text: string, attempt: string | null): Promise<PostAnswer>
  /** Collects on hints and by polling until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

interface Kept {
  report: ReportedCompletion
  result: CompletionSaveResult
  /** Null where only the file's place says so. */
  project: string | null
  /** Where it came from. */
  from: LogFields
}

/** A report that is in the store: whoever works on its issue looks at it; where nobody does, this is all that is said. */
type TellKept = (kept: Kept) => void

const createTellKept =
  ({ holds, logger, telemetry }: Pick<IntakeOptions, 'holds' | 'logger' | 'telemetry'>): TellKept =>
  ({ report: { issueNumber: issue, agentType: agent, status }, result, project, from }) => {
    const concerned = [...holds.values()].filter(
      ({ issueNumber, task }) => issueNumber === issue && (project === null || task.project === project),
    )
    for (const { bell } of concerned) bell.ring()
    // Of the others who looks at them tells what they are.
    if (result.status === 'unchanged' || concerned.length === 0)
      telemetry.reported(status === 'in-progress' ? 'progress' : 'not_counted')
    const about = { ...from, issue, agent, status }
    if (result.status === 'unchanged') logger.info('report came again, word for word, and changes nothing', about)
    else if (concerned.length === 0) logger.info('report kept; this host works on no task of its issue now', about)
  }

const projectOf = async (
  { stores, holds, projectOfRun }: IntakeOptions,
  report: ReportedCompletion,
  attempt: string | null,
): Promise<string | null> => {
  if (attempt !== null) {
    const project = holdOf(holds, attempt)?.task.project ?? (await projectOfRun(attempt))
    if (project !== null) return project
  }
  const named = report.payload['project']
  if (typeof named === 'string' && named !== '') return named
  return onlyRunningProject(stores.workflows, report.issueNumber)
}

const post = async (
  options: IntakeOptions,
  tellKept: TellKept,
  text: string,
  token: string | null,
): Promise<PostAnswer> => {
  const read = readReportText(text)
  if (!read.ok) return { status: 'invalid', reason: read.reason }
  const { report } = read
  const named = report.attemptId
  const isOurs = named !== null && isAttemptId(named)
  if (isOurs && token !== null && named !== token)
    return { status: 'foreign-attempt', reason: 'The token belongs to another attempt than attempt_id names.' }
  const attempt = isOurs ? named : token
  const project = await projectOf(options, report, attempt)
  if (project === null)
    return { status: 'no-project', reason: 'Which project is meant? Name it as "project", or the run as "attempt_id".' }
  const reportId = attempt ?? named ?? attemptFor(options.holds, report, project)
  const { issueNumber, agentType, status, summary, payload } = report
  const completion = { project, issueNumber, agentType, status, summary, payload, reportId }
  try {
    const result = await options.stores.completions.save(completion)
    tellKept({ report, result, project, from: { project, run: reportId } })
    return { status: 'stored', dedupKey: result.dedupKey }
  } catch (error) {
    if (isStoreError(error, 'invalid')) return { status: 'invalid', reason: error.message }
    throw error
  }
}

const run = async (
  { mailboxes, holds, logger, pollMs, idlePollMs, availability, isQuiet }: IntakeOptions,
  collect: Collect,
  signal: AbortSignal,
): Promise<void> => {
  const bell = createBell()
  const heard = mailboxes.map(async (mailbox) => {
    try {
      for await (const _ of mailbox.watch(signal)) bell.ring()
    } catch (error) {
      if (!signal.aborted) logger.debug('not hearing of summary files; the poll finds them', { error: String(error) })
    }
  })
  let failing = false
  while (!signal.aborted) {
    try {
      // Reports wait where they lie while the stores are about to move.
      if (!isQuiet()) await availability.attempt('summary files', collect)
      failing = false
    } catch (error) {
      if (!failing) logger.warn('summary files cannot be taken in now', { error: String(error) })
      failing = true
    }
    await bell.wait(holds.size > 0 ? pollMs : idlePollMs, signal)
  }
  await Promise.all(heard)
}

export const createIntake = (options: IntakeOptions): Intake => {
  const { stores, mailboxes, runMailboxes, logger, telemetry } = options
  const tellKept = createTellKept(options)
  const collector = createCollector({
    completions: stores.completions,
    mailboxes: () => [...mailboxes, ...runMailboxes()],
    logger,
    onImported: ({ path, report, result }) => tellKept({ report, result, project: null, from: { path } }),
    onRejected: () => telemetry.reported('refused'),
  })
  return {
    ...collector,
    async post(text, attempt) {
      const answer = await post(options, tellKept, text, attempt)
      if (answer.status !== 'stored') telemetry.reported('refused')
      return answer
    },
    run: (signal) => run(options, collector.collect, signal),
  }
}
