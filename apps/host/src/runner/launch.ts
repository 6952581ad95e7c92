import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { createAll, makeFolder } from './durable-file.ts'
import { watchPath } from './file-watch.ts'
import type { RunFolder } from './run-folder.ts'
import { type RunEnvironment, type RunSpec, recordText } from './run-records.ts'

export interface PreparedRun {
  readonly spec: RunSpec
  readonly environment: RunEnvironment
  readonly prompt: string
}

/** Writes the run down. The specification comes last: where it is, everything is, and it is never replaced. */
export async function prepareRun(paths: RunFolder, { spec, environment, prompt }: PreparedRun): Promise<void> {
  makeCompletionFolder(environment['NEXUS_COMPLETION_FILE'])
  const files = [
    [paths.prompt, prompt],
    [paths.lease, ''],
    [paths.environment, recordText(environment)],
    [paths.spec, recordText(spec)],
  ] as const
  // The folder is there at once; both reach the disk at one time.
  await Promise.all([makeFolder(paths.folder, 0o700), createAll(paths.folder, files)])
}

/** A launch beside the first one may have written it anew. Before the agent or the end is there, it is still needed. */
export async function forgetEnvironment(paths: RunFolder): Promise<void> {
  if (existsSync(paths.agent) || existsSync(paths.exit)) await rm(paths.environment, { force: true })
}

/** There before the agent is: some write by a shell's `>`, and some refuse to be let into a folder that does not exist. */
function makeCompletionFolder(file: string | undefined): void {
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true })
}

export interface SupervisorsOptions {
  readonly supervisorPath: string
  readonly pollMs: number
  /** How long a supervisor may take until its agent runs. */
  readonly startMs: number
}

export interface Supervisors {
  /**
   * Hands the run to a supervisor and waits until the agent runs, the run ended, or this supervisor found another one at
   * work. Fails when it ended without a start; then nothing runs and launching again is safe.
   */
  start(paths: RunFolder): Promise<void>
  /** Those without a run end; the others end after theirs. */
  close(): void
}

/** A supervisor that this process started, and the run it was given last. */
interface Supervisor {
  readonly child: ChildProcess
  paths: RunFolder
}

/**
 * Supervisors in sessions of their own. One whose run is over takes the next: a process is started ten times as fast by one
 * that runs already as by one that first has to be started itself. Whatever happens to the host, each has one run at a time
 * and ends it by itself; without its host it takes no more.
 */
export function createSupervisors(options: SupervisorsOptions): Supervisors {
  const all = new Set<Supervisor>()

  function spawned(paths: RunFolder): Supervisor {
    const child = spawn(process.execPath, [resolve(options.supervisorPath), paths.folder], {
      cwd: paths.folder,
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: supervisorEnvironment(),
    })
    const supervisor: Supervisor = { child, paths }
    all.add(supervisor)
    child.once('exit', () => all.delete(supervisor)).once('error', () => all.delete(supervisor))
    // One that is gone reads nothing more; its exit says so.
    child.stdin?.on('error', () => undefined)
    child.unref()
    return supervisor
  }

  /** A supervisor whose run is over, with this one handed to it. */
  function handed(paths: RunFolder): Supervisor | null {
    for (const supervisor of all) {
      const { stdin, exitCode, signalCode } = supervisor.child
      if (exitCode !== null || signalCode !== null || !stdin?.writable || !existsSync(supervisor.paths.exit)) continue
      supervisor.paths = paths
      stdin.write(`${paths.folder}\n`)
      return supervisor
    }
    return null
  }

  const hasBegun = (settled: string, paths: RunFolder): boolean => settled === 'started' || existsSync(paths.started)

  async function start(paths: RunFolder): Promise<void> {
    const former = handed(paths)
    // It may have ended in the moment in which it was given the run.
    if (former && hasBegun(await supervisorSettles(former.child, paths, options), paths)) return
    const settled = await supervisorSettles(spawned(paths).child, paths, options)
    if (!hasBegun(settled, paths)) throw new Error(`attempt ${paths.attempt} was not started: ${settled}`)
  }

  return {
    start,
    close() {
      for (const { child } of all) child.stdin?.end()
    },
  }
}

// Nothing of the host's secrets, and not the mark of a run that this host itself may be part of.
function supervisorEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'LD_LIBRARY_PATH', 'TZ', 'SystemRoot']
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}

function supervisorSettles(child: ChildProcess, paths: RunFolder, start: SupervisorsOptions): Promise<string> {
  return new Promise((settle) => {
    const finish = (outcome: string) => {
      unwatch()
      clearTimeout(deadline)
      child.off('error', failed).off('exit', ended)
      settle(outcome)
    }
    const failed = (error: Error) => finish(error.message)
    const ended = (code: number | null, signal: NodeJS.Signals | null) =>
      finish(`its supervisor ended with ${signal ?? `code ${code}`}`)
    const look = () => {
      if (existsSync(paths.agent) || existsSync(paths.exit)) finish('started')
    }
    const unwatch = watchPath({ path: paths.folder, pollMs: start.pollMs, onChange: look })
    const deadline = setTimeout(() => finish(`its supervisor said nothing for ${start.startMs} ms`), start.startMs)
    child.once('error', failed).once('exit', ended)
    look()
  })
}
