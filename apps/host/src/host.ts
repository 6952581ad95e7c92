import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Ids, Logger, Mailbox, StoreError, Stores } from '@nexus/core'
import { completionPath, createApi } from './api/app.ts'
import { type ApiServer, serveApi } from './api/server.ts'
import { openRootId, openTokens } from './api/tokens.ts'
import type { HostConfig } from './config/host-config.ts'
import type { HostTools } from './host-tools.ts'
import type { MailboxSource } from './intake/collector.ts'
import { createExplain } from './intake/explain.ts'
import { createIntake, type Intake } from './intake/intake.ts'
import { createNews } from './intake/news.ts'
import { createRunMailboxes } from './intake/run-mailboxes.ts'
import { whyNoReport } from './intake/summary-file.ts'
import { type Availability, createAvailability } from './loop/availability.ts'
import { createDrain } from './loop/drain.ts'
import { type HeldTask, heldTasks } from './loop/held.ts'
import type { Holds } from './loop/hold.ts'
import { keepIdleMemory } from './loop/idle-memory.ts'
import { runInboxLoop } from './loop/inbox-loop.ts'
import { keepLeases } from './loop/lease-keeper.ts'
import { watchMoved } from './loop/moved-stores.ts'
import { removeOldRuns } from './loop/old-runs.ts'
import { createQuiet } from './loop/quiet.ts'
import { defaultTiming, type Timing } from './loop/timing.ts'
import { readRunProject } from './run-project.ts'
import { agentEnvironment, type Runner } from './runner/index.ts'
import { createAttempts } from './task/attempts.ts'
import type { TaskOutcome } from './task/finish.ts'
import { createFuse } from './task/fuse.ts'
import { createHostRecords } from './task/host-records.ts'
import { createTaskLife } from './task/task-life.ts'
import { createOutside } from './telemetry/outside.ts'
import type { Phase } from './telemetry/readiness.ts'
import type { Storage } from './telemetry/storage.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export interface HostMailboxes {
  /** The root's own, where agents are told to write. */
  own: Mailbox
  /** Below workspaces that lie elsewhere, where agents write who know no better. */
  others: readonly MailboxSource[]
  /** The one below a folder, once somebody made it. */
  below(folder: string): MailboxSource
}

export interface HostOptions {
  config: HostConfig
  stores: Stores
  mailboxes: HostMailboxes
  runner: Runner
  /** Absolute. */
  root: string
  worker: string
  clock: Clock
  ids: Ids
  logger: Logger
  /** What agents may inherit from. */
  env: NodeJS.ProcessEnv
  timing?: Partial<Timing>
  /** Whether a backend is down, which whoever gives the stores tells of; never unless given. */
  inOutage?: () => Promise<boolean>
  /** What can be told of the stores' condition; nothing unless given. */
  storage?: Storage
  /** Whether `/metrics` tells of the process too; at most one host of a process does. */
  withProcessMetrics?: boolean
}

interface RunOptions {
  /** Return when nothing is due and nothing is held. */
  once: boolean
  /** Ends the work; agents go on under their supervisors and are adopted next time. */
  signal: AbortSignal
}

/**
 * `failed`: a task is a dead letter, waits for a late retry, is paused, or is held back by a fuse. `unreachable`: what is left waits for a store
 * that cannot be reached. `moved`: a store has moved to another backend.
 */
export type HostEnd = 'done' | 'failed' | 'unreachable' | 'stopped' | 'moved'

export interface Host {
  readonly api: Pick<ApiServer, 'url' | 'port'>
  run(options: RunOptions): Promise<HostEnd>
  /** What is held now, the longest held first. */
  held(): HeldTask[]
  close(): Promise<void>
}

/** A task that another host took over, or whose project is not ours, is no failure of this run. */
const isFailure = ({ status }: TaskOutcome): boolean =>
  status === 'failed' || status === 'retrying' || status === 'paused' || status === 'held-back'

/** How long tasks may take to let go when the host closes. */
const closingMs = 1_500

const never = async (): Promise<boolean> => false

interface Parts extends Pick<HostTools, 'reporting' | 'attempts' | 'drain' | 'quiet' | 'summaryFile'> {
  intake: Intake
  telemetry: Telemetry
}

const createTools = (options: HostOptions, { intake, ...given }: Parts): HostTools => {
  const { config, stores, runner, worker, clock, ids, logger, env, inOutage = never } = options
  const records = createHostRecords({ hostState: stores.hostState, logger, now: clock.now, inOutage })
  const fuse = createFuse({
    ...config.fuse,
    clock,
    logger,
    onChange(role, blow) {
      given.telemetry.fuseChanged(role, blow !== null)
      void records
        .showFuse(role, blow)
        .catch((error: unknown) => logger.warn('the state of a fuse could not be shown', { error: String(error) }))
    },
  })
  return {
    config,
    stores,
    runner,
    worker,
    clock,
    ids,
    logger,
    ...given,
    timing: { ...defaultTiming, ...options.timing },
    records,
    fuse,
    inOutage,
    collect: intake.collect,
    whyUnreadable: async (path, issueNumber) => intake.whyUnreadable(path) ?? (await whyNoReport(path, issueNumber)),
    explain: createExplain(logger, given.telemetry),
    isTakenNews: createNews(),
    environment: (variables, passThrough) => agentEnvironment(env, variables, passThrough),
  }
}

/** Tells holds of the ends of their runs. Returns the end of it. */
const hearEnds = (runner: Runner, holds: Holds): (() => void) =>
  runner.onEnded((attempt, exit) => {
    for (const hold of holds.values()) {
      if (!hold.runs.has(attempt)) continue
      hold.runs.set(attempt, exit)
      hold.bell.ring()
    }
  })

const letGo = async (holds: Holds): Promise<void> => {
  for (const hold of holds.values()) hold.end('closing')
  const until = performance.now() + closingMs
  while (holds.size > 0 && performance.now() < until) await delay(10)
}

interface Working {
  root: string
  intake: Intake
  holds: Holds
  availability: Availability
}

const runHost = async (
  tools: HostTools,
  { root, intake, holds, availability }: Working,
  { once, signal }: RunOptions,
): Promise<HostEnd> => {
  const work = createTaskLife(tools, availability)
  const ended = new AbortController()
  const leases = keepLeases(tools, holds, availability)
  const unclean = removeOldRuns(root, tools, holds)
  const unkept = keepIdleMemory(holds, tools.logger)
  const taking = intake.run(AbortSignal.any([signal, ended.signal]))
  try {
    const given = { holds, availability, work, signal, once, onResumed: leases.resumed }
    const { outcomes, isStuck } = await runInboxLoop(tools, given)
    if (signal.aborted || tools.drain.isRequested) return 'stopped'
    if (isStuck) {
      tools.logger.error('a store cannot be reached for too long; what is left waits for the next run')
      return 'unreachable'
    }
    return [...outcomes.values()].some(isFailure) ? 'failed' : 'done'
  } finally {
    await letGo(holds)
    leases.end()
    unclean()
    unkept()
    ended.abort()
    await taking
  }
}

/** Tells once that a store has moved, with the variable to set; the signal aborts then. */
const createMoved = (logger: Pick<Logger, 'error'>) => {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    tell({ message, movedTo }: StoreError): void {
      if (controller.signal.aborted) return
      logger.error('a store has moved; agents go on, and a host with the new variable takes them over', {
        moved_to: movedTo ?? null,
        reason: message,
      })
      controller.abort()
    },
  }
}

const openWatched = async (options: HostOptions, moved: ReturnType<typeof createMoved>): Promise<Host> => {
  const { config, stores, mailboxes, runner, root, logger, clock, inOutage = never } = options
  const { pollMs, idlePollMs, unavailableMs: retryMs } = { ...defaultTiming, ...options.timing }
  const holds: Holds = new Map()
  const tokens = await openTokens(root)
  const availability = createAvailability({ logger, clock, retryMs, inOutage, onMoved: moved.tell })
  let phase: Phase = 'starting'
  const drain = createDrain(stores.hostState, logger)
  const wait = async (ms: number, signal: AbortSignal): Promise<void> => void (await delay(ms, undefined, { signal }))
  const quiet = createQuiet({ hostState: stores.hostState, worker: options.worker, clock, logger, wait })
  const phaseNow = (): Phase => (phase === 'running' && drain.isRequested ? 'draining' : phase)
  const outside = createOutside({ options, holds, availability, phase: phaseNow })
  const telemetry: Telemetry = outside.metrics
  const runMailboxes = createRunMailboxes({ root, ...mailboxes, runner, holds })
  const intake = createIntake({
    stores,
    mailboxes: [mailboxes.own, ...mailboxes.others],
    runMailboxes: runMailboxes.open,
    holds,
    logger,
    telemetry,
    pollMs,
    idlePollMs,
    availability,
    isQuiet: () => quiet.isAsked,
    projectOfRun: (attempt) => readRunProject(runner, attempt),
  })
  const { apiListen: listen, apiHosts: hosts, apiPort: port } = config
  const app = createApi({ intake, tokens, outside, logger, listen, hosts })
  const server = await serveApi({ root, port, address: listen, fetch: (request) => app.fetch(request) })
  const url = `${server.url}${completionPath}`
  const attempts = createAttempts(options.ids, await openRootId(root))
  const reporting = (attempt: string) => ({ url, token: tokens.forAttempt(attempt) })
  const summaryFile = runMailboxes.file
  const tools = createTools(options, { intake, telemetry, reporting, attempts, drain, quiet, summaryFile })
  const unlisten = hearEnds(runner, holds)
  return {
    api: server,
    held: () => heldTasks(holds),
    async run(run) {
      phase = 'running'
      const stop = (): void => {
        phase = 'stopping'
      }
      run.signal.addEventListener('abort', stop, { once: true })
      try {
        const signal = AbortSignal.any([run.signal, moved.signal])
        const end = await runHost(tools, { root, intake, holds, availability }, { ...run, signal })
        return moved.signal.aborted ? 'moved' : end
      } finally {
        stop()
      }
    },
    async close() {
      unlisten()
      await server.close()
    },
  }
}

export const openHost = (options: HostOptions): Promise<Host> => {
  const moved = createMoved(options.logger)
  return openWatched({ ...options, stores: watchMoved(options.stores, moved.tell) }, moved)
}
