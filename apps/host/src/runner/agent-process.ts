import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { errorCode } from './durable-file.ts'
import { readProcess } from './process-table.ts'
import type { RunFolder } from './run-folder.ts'
import { type RunEnvironment, type RunSpec, recordText } from './run-records.ts'

interface LeaderExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export type SpawnOutcome =
  | { readonly status: 'spawned'; readonly pid: number; readonly exited: Promise<LeaderExit> }
  | { readonly status: 'failed'; readonly message: string }

/** Starts the agent as the leader of its own process group. Its files are descriptors: they outlive the supervisor. */
export async function spawnAgent(paths: RunFolder, spec: RunSpec, env: RunEnvironment): Promise<SpawnOutcome> {
  const [file, ...args] = typeof spec.command === 'string' ? ['/bin/sh', '-c', spec.command] : spec.command
  if (file === undefined || file === '') return { status: 'failed', message: 'the command is empty' }
  const descriptors: number[] = []
  try {
    const output = openSync(paths.output, 'a', 0o600)
    descriptors.push(output)
    const input = spec.stdin === 'prompt' ? openSync(paths.prompt, 'r') : 'ignore'
    if (input !== 'ignore') descriptors.push(input)
    const child = spawn(file, args, { cwd: spec.cwd, env, detached: true, stdio: [input, output, output] })
    const exited = leaderExit(child)
    if (child.pid === undefined) return { status: 'failed', message: explain(await spawnError(child), file, spec.cwd) }
    return { status: 'spawned', pid: child.pid, exited }
  } catch (error) {
    return { status: 'failed', message: explain(error, file, spec.cwd) }
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
  }
}

/**
 * Writes down which process the agent is, at once: a supervisor killed before this leaves an agent that only the mark in
 * its environment identifies. Not fsynced, since no process survives what an fsync guards against.
 */
export function recordAgent(paths: RunFolder, pid: number): void {
  const temporary = `${paths.agent}.tmp`
  writeFileSync(temporary, recordText({ pid, startTime: readProcess(pid)?.startTime ?? null }), { mode: 0o600 })
  renameSync(temporary, paths.agent)
}

function leaderExit(child: ChildProcess): Promise<LeaderExit> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
}

function spawnError(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once('error', resolve))
}

// The system says ENOENT of the command when it is the working folder that is missing.
function explain(error: unknown, file: string, cwd: string): string {
  if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory()) return `the working folder does not exist: ${cwd}`
  if (errorCode(error) === 'ENOENT') return `command not found: ${file}`
  if (errorCode(error) === 'EACCES') return `command not executable: ${file}`
  return `cannot start ${file}: ${error instanceof Error ? error.message : String(error)}`
}
