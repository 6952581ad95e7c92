import type { Clock, Logger } from '@nexus/core'
import { type Command, commandLine, type PromptForm } from './command-line.ts'
import { createEndWatch, type EndListener } from './end-watch.ts'
import { listRuns } from './find-runs.ts'
import { createSupervisors, forgetEnvironment, prepareRun } from './launch.ts'
import { type RenewOutcome, renewLeases } from './lease.ts'
import { createObserver, type RunState } from './observe.ts'
import { type RunFolder, runFolder, runsFolder } from './run-folder.ts'
import { lastingPart, type RunExit, type RunSpec } from './run-records.ts'
import { RUN_VARIABLE } from './run-variable.ts'
import { stopRun } from './stop.ts'

export interface RunnerOptions {
  /** `NEXUS_DIR`; runs lie in `{root}/runs/{attempt}/`. */
  readonly root: string
  /** The built supervisor, `dist/supervisor.js`. */
  readonly supervisorPath: string
  readonly clock: Clock
  readonly logger: Logger
  /** An agent whose lease nobody renews for this long is ended. Default 60 000. */
  readonly leaseMs?: number
  /** Between SIGTERM and SIGKILL. Default 5 000. */
  readonly graceMs?: number
  /** What the system's file events miss is found after this. Default 500. */
  readonly pollMs?: number
  /** How long a launch waits for its supervisor. Default 30 000. */
  readonly startMs?: number
  /** An output that grew beyond this is put aside, as the one older file there is. Default 16 MiB. */
  readonly outputBytes?: number
}

export interface LaunchSpec {
  /** Names this start for ever; `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`. Must be saved before the launch. */
  readonly attempt: string
  /** An argument vector, in which placeholders may stand (see commandLine), or a line for `/bin/sh -c`. */
  readonly command: Command
  readonly cwd: string
  /** The agent's whole environment (see agentEnvironment); `NEXUS_ATTEMPT`, `NEXUS_RUN` and `NEXUS_PROMPT_FILE` are added. */
  readonly env: Readonly<Record<string, string>>
  readonly prompt: string
  /** Default `stdin`. */
  readonly promptForm?: PromptForm
  readonly timeoutMs?: number | null
}

export interface Runner extends AsyncDisposable {
  /** Starts the agent unless this attempt was ever started, by whomever; resolves when it runs or has ended. */
  launch(spec: LaunchSpec): Promise<RunState>
  observe(attempt: string): Promise<RunState>
  /** Must happen for every running attempt several times per leaseMs. */
  renew(attempts: readonly string[]): Promise<RenewOutcome>
  /** Asks for the end, or makes sure that a prepared run never starts. Idempotent; the end itself comes as an event. */
  stop(attempt: string): Promise<void>
  /** Rejects with the signal's reason when that comes first; the run goes on. */
  waitForEnd(attempt: string, signal?: AbortSignal): Promise<RunExit>
  /** From now on the end of this attempt is told to the listeners, once; also when it has ended already. */
  follow(attempt: string): void
  /** Hears of every launched and every followed attempt. Returns the end of it. */
  onEnded(listener: EndListener): () => void
  /** The attempts that have a run folder. */
  list(): Promise<string[]>
  folder(attempt: string): RunFolder
  /** Stops listening. Agents and their supervisors go on. */
  close(): Promise<void>
}

const DEFAULTS = { leaseMs: 60_000, graceMs: 5_000, pollMs: 500, startMs: 30_000, outputBytes: 16 * 1024 ** 2 } as const

export function createRunner(options: RunnerOptions): Runner {
  const { root, clock, logger, supervisorPath, startMs, ...intervals } = { ...DEFAULTS, ...options }
  const { leaseMs, graceMs, pollMs, outputBytes } = intervals
  const observeFolder = createObserver({ clock, leaseMs, graceMs })
  const observe = (attempt: string) => observeFolder(runFolder(root, attempt))
  const ends = createEndWatch({
    runsFolder: runsFolder(root),
    pollMs,
    observe,
    onError: (attempt, error) => logger.error('cannot observe a run', { attempt, error: String(error) }),
  })
  const listeners = new Set<EndListener>()
  const followed = new Set<string>()
  const closing = new AbortController()
  const supervisors = createSupervisors({ supervisorPath, pollMs, startMs })

  function follow(attempt: string): void {
    if (followed.has(attempt)) return
    followed.add(attempt)
    ends.wait(attempt, (exit) => {
      followed.delete(attempt)
      for (const listener of listeners) listener(attempt, exit)
    })
  }

  async function launch({ prompt, promptForm = 'stdin', ...given }: LaunchSpec): Promise<RunState> {
    const paths = runFolder(root, given.attempt)
    const own = { NEXUS_ATTEMPT: given.attempt, [RUN_VARIABLE]: paths.folder, NEXUS_PROMPT_FILE: paths.prompt }
    const places = { prompt, promptFile: paths.prompt, completionFile: given.env['NEXUS_COMPLETION_FILE'] }
    const spec: RunSpec = {
      timeoutMs: null,
      ...given,
      ...commandLine(given.command, promptForm, places),
      env: lastingPart(given.env),
      leaseMs,
      graceMs,
      pollMs,
      outputBytes,
    }
    const before = await observeFolder(paths)
    if (before.status === 'absent' || before.status === 'prepared') {
      // Of what a power cut left, too: each file that is there stays as it is.
      await prepareRun(paths, { spec, environment: { ...given.env, ...own }, prompt })
      await supervisors.start(paths)
      await forgetEnvironment(paths)
    }
    follow(given.attempt)
    return observeFolder(paths)
  }

  async function close(): Promise<void> {
    listeners.clear()
    closing.abort(new Error('the runner is closed'))
    ends.close()
    supervisors.close()
  }

  return {
    launch,
    observe,
    waitForEnd: (attempt, signal) =>
      ends.endOf(attempt, AbortSignal.any([closing.signal, ...(signal ? [signal] : [])])),
    follow,
    close,
    renew: (attempts) =>
      renewLeases(
        attempts.map((attempt) => runFolder(root, attempt)),
        clock,
      ),
    stop: (attempt) => stopRun(runFolder(root, attempt), clock),
    onEnded(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    list: () => listRuns(root),
    folder: (attempt) => runFolder(root, attempt),
    [Symbol.asyncDispose]: close,
  }
}
