import { createHash } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { errorCode } from './durable-file.ts'
import { hasProcessTable, readProcess, readTextOrNull } from './process-table.ts'

/** Names one process for ever: no later process, boot, container or machine has the same four values. */
export interface ProcessIdentity {
  /** Where the pid means something: host name, machine and pid namespace. Contains no `/`. */
  readonly hostId: string
  readonly bootId: string | null
  readonly pid: number
  /** Clock ticks since boot; null on platforms without /proc. */
  readonly startTime: string | null
}

export type ProcessLife = 'alive' | 'dead' | 'unknown'

const ABSENT = '-'
const FORMAT = /^([^/]+)\/([^/]+)\/([1-9][0-9]{0,9})\/([0-9]+|-)$/

// The machine id alone does not do: containers of one image share it, and so can their host names.
function hostId(): string {
  const machine = readTextOrNull('/etc/machine-id') ?? readTextOrNull('/var/lib/dbus/machine-id') ?? ''
  const digest = createHash('sha256').update(machine.trim()).digest('hex').slice(0, 12)
  return `${hostname().replace(/[^A-Za-z0-9._-]/g, '_')}~${digest}~${pidNamespace()}`
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/[^0-9]/g, '') || ABSENT
  } catch {
    return ABSENT
  }
}

export function identifyProcess(pid: number): ProcessIdentity {
  const bootId = readTextOrNull('/proc/sys/kernel/random/boot_id')?.trim() || null
  return { hostId: hostId(), bootId, pid, startTime: readProcess(pid)?.startTime ?? null }
}

export function currentProcess(): ProcessIdentity {
  return identifyProcess(process.pid)
}

/** `dead` is a proof; a process of another host or of another pid namespace is `unknown`, whatever its pid says here. */
export function liveness(identity: ProcessIdentity, here: ProcessIdentity = currentProcess()): ProcessLife {
  if (identity.hostId !== here.hostId) return 'unknown'
  if (identity.bootId !== null && here.bootId !== null && identity.bootId !== here.bootId) return 'dead'
  if (!hasProcessTable()) return answersSignal(identity.pid) ? 'alive' : 'dead'
  const entry = readProcess(identity.pid)
  if (entry === null || entry.ended) return 'dead'
  return identity.startTime === null || identity.startTime === entry.startTime ? 'alive' : 'dead'
}

function answersSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** `host/boot/pid/start`, the form of `claimed_by`. */
export function formatIdentity(identity: ProcessIdentity): string {
  return [identity.hostId, identity.bootId ?? ABSENT, identity.pid, identity.startTime ?? ABSENT].join('/')
}

export function parseIdentity(text: string): ProcessIdentity | null {
  const [, host, boot, pid, start] = FORMAT.exec(text) ?? []
  if (host === undefined || boot === undefined || pid === undefined || start === undefined) return null
  return {
    hostId: host,
    bootId: boot === ABSENT ? null : boot,
    pid: Number(pid),
    startTime: start === ABSENT ? null : start,
  }
}

/** The liveness of whoever a `claimed_by` names; a form that is not ours is `unknown`. */
export function holderLiveness(claimedBy: string, here: ProcessIdentity = currentProcess()): ProcessLife {
  const identity = parseIdentity(claimedBy)
  return identity ? liveness(identity, here) : 'unknown'
}

/** The same for hosts, which name themselves with their root as well: whether a process lives its machine alone can tell. */
export function ownerLife(claimedBy: string, here: ProcessIdentity = currentProcess()): ProcessLife {
  const identity = parseIdentity(claimedBy)
  if (!identity) return 'unknown'
  const isHere = identity.hostId.startsWith(`${here.hostId}~`)
  return liveness(isHere ? { ...identity, hostId: here.hostId } : identity, here)
}
