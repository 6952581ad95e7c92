import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createOnce, makeFolder } from './durable-file.ts'
import { watchPath } from './file-watch.ts'
import type { RunFolder } from './run-folder.ts'
import { type RunSpec, recordText } from './run-records.ts'

/** Writes the run down. The specification comes last: where it is, everything is, and it is never replaced. */
export async function prepareRun(paths: RunFolder, spec: RunSpec, prompt: string): Promise<void> {
  await makeFolder(paths.folder, 0o700)
  await createOnce(paths.prompt, prompt)
  await createOnce(paths.lease, '')
  await createOnce(paths.spec, recordText(spec))
}

export interface SupervisorStart {
  readonly supervisorPath: string
  readonly pollMs: number
  /** How long a supervisor may take until its agent runs. */
  readonly startMs: number
}

/**
 * Starts a supervisor in a session of its own and waits until the agent runs, the run ended, or this supervisor found
 * another one at work. Fails when it ended without a start; then nothing runs and launching again is safe.
 */
export async function startSupervisor(paths: RunFolder, start: SupervisorStart): Promise<void> {
  const child = spawn(process.execPath, [resolve(start.supervisorPath), paths.folder], {
    cwd: paths.folder,
    detached: true,
    stdio: 'ignore',
    env: supervisorEnvironment(),
  })
  child.unref()
  const settled = await supervisorSettles(child, paths, start)
  if (settled === 'started' || existsSync(paths.started)) return
  throw new Error(`attempt ${paths.attempt} was not started: ${settled}`)
}

// Nothing of the host's secrets, and not the mark of a run that this host itself may be part of.
function supervisorEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'LD_LIBRARY_PATH', 'TZ', 'SystemRoot']
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}

function supervisorSettles(child: ChildProcess, paths: RunFolder, start: SupervisorStart): Promise<string> {
  return new Promise((settle) => {
    const finish = (outcome: string) => {
      unwatch()
      clearTimeout(deadline)
      settle(outcome)
    }
    const look = () => {
      if (existsSync(paths.agent) || existsSync(paths.exit)) finish('started')
    }
    const unwatch = watchPath({ path: paths.folder, pollMs: start.pollMs, onChange: look })
    const deadline = setTimeout(() => finish(`its supervisor said nothing for ${start.startMs} ms`), start.startMs)
    child.once('error', (error) => finish(error.message))
    child.once('exit', (code, signal) => finish(`its supervisor ended with ${signal ?? `code ${code}`}`))
    look()
  })
}
