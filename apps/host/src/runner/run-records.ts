import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createOnce, errorCode } from './durable-file.ts'
import { touch } from './file-watch.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { RunFolder } from './run-folder.ts'

/** What to run. The prompt itself stands beside it in `prompt.md`. */
export interface RunSpec {
  readonly attempt: string
  /** An argument vector, or a line for `/bin/sh -c`. */
  readonly command: readonly string[] | string
  readonly cwd: string
  /** Of its environment what says what it works on: this file stays, and so no secret may stand in it. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin: 'prompt' | 'none'
  readonly timeoutMs: number | null
  readonly leaseMs: number
  readonly graceMs: number
  readonly pollMs: number
  /** `output.log` that grew beyond this becomes the older one. */
  readonly outputBytes: number
}

/** The agent's whole environment. */
export type RunEnvironment = Readonly<Record<string, string>>

/** Written by the one supervisor that may start the agent. */
export interface Started extends ProcessIdentity {
  readonly startedAt: string
}

export interface AgentProcess {
  readonly pid: number
  readonly startTime: string | null
}

const REASONS = ['exited', 'timeout', 'lease-expired', 'stopped', 'spawn-failed', 'supervisor-lost'] as const

export type ExitReason = (typeof REASONS)[number]

export interface RunExit {
  /** The exit code of the agent itself, whatever the reason; null when a signal ended it or nobody knows. */
  readonly code: number | null
  readonly signal: string | null
  readonly reason: ExitReason
  readonly endedAt: string
  readonly message?: string
}

type Fields = Readonly<Record<string, unknown>>

/** Null: no such file. Undefined: a file that is not a JSON object. */
function readFields(path: string): Fields | null | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null
    throw error
  }
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const numberOrNull = (value: unknown): number | null => (typeof value === 'number' ? value : null)

/** We alone write the specification, in one piece: it is there or not, and a supervisor that cannot read it must not guess. */
export async function readSpec(path: string): Promise<RunSpec | null> {
  const fields = readFields(path)
  if (fields === undefined) throw new Error(`unreadable run specification: ${path}`)
  return fields as RunSpec | null
}

/** What of an environment stays in the run's specification. */
const lasting = ['NEXUS_PROJECT', 'NEXUS_ISSUE', 'NEXUS_WORKFLOW', 'NEXUS_STEP', 'NEXUS_AGENT'] as const

export function lastingPart(environment: RunEnvironment): RunEnvironment {
  return Object.fromEntries(
    lasting.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  )
}

/**
 * The environment of an agent that is about to start, which is gone from the disk then. A crash before the agent leaves a
 * run that nobody starts again.
 */
export async function takeEnvironment({ environment: path }: RunFolder): Promise<RunEnvironment> {
  const fields = readFields(path)
  await rm(path, { force: true })
  if (!fields) throw new Error(`${fields === null ? 'no' : 'unreadable'} environment of the agent: ${path}`)
  return fields as RunEnvironment
}

/** A damaged `started` still proves that the agent may run: it names nobody, and only silence ends such a run. */
export async function readStarted(path: string): Promise<Started | null> {
  const fields = readFields(path)
  if (fields === null) return null
  return {
    hostId: textOrNull(fields?.['hostId']) ?? '',
    bootId: textOrNull(fields?.['bootId']),
    pid: numberOrNull(fields?.['pid']) ?? 0,
    startTime: textOrNull(fields?.['startTime']),
    startedAt: textOrNull(fields?.['startedAt']) ?? new Date(0).toISOString(),
  }
}

export async function readAgent(path: string): Promise<AgentProcess | null> {
  const fields = readFields(path)
  const pid = numberOrNull(fields?.['pid'])
  return pid === null ? null : { pid, startTime: textOrNull(fields?.['startTime']) }
}

export async function readExit(path: string): Promise<RunExit | null> {
  const fields = readFields(path)
  if (fields === null) return null
  const reason = REASONS.find((known) => known === fields?.['reason'])
  const message = reason ? textOrNull(fields?.['message']) : `unreadable exit record: ${path}`
  return {
    code: numberOrNull(fields?.['code']),
    signal: textOrNull(fields?.['signal']),
    reason: reason ?? 'supervisor-lost',
    endedAt: textOrNull(fields?.['endedAt']) ?? new Date(0).toISOString(),
    ...(message === null ? {} : { message }),
  }
}

export function recordText(record: RunSpec | RunEnvironment | Started | AgentProcess | RunExit): string {
  return `${JSON.stringify(record, null, 2)}\n`
}

/** Records how a run ended, once: whoever comes second gets what the first one wrote. */
export async function recordExit(paths: RunFolder, exit: RunExit): Promise<RunExit> {
  // Of a run that was never started, or that a power cut gave back.
  await rm(paths.environment, { force: true })
  await createOnce(paths.exit, recordText(exit))
  touch(paths.folder)
  return (await readExit(paths.exit)) ?? exit
}
