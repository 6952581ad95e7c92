import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'

export interface ProcessEntry {
  readonly pid: number
  readonly group: number
  /** Clock ticks since boot, as text: with the boot id it tells a process from a later one with the same pid. */
  readonly startTime: string
  /** A zombie has ended; only its parent has not asked for its exit status. */
  readonly ended: boolean
}

export function readTextOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}

export function hasProcessTable(): boolean {
  return readTextOrNull('/proc/self/stat') !== null
}

/** Null: no such process, or a platform without /proc (see hasProcessTable). */
export function readProcess(pid: number): ProcessEntry | null {
  const stat = readTextOrNull(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The command name is in parentheses and may itself contain blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, group, startTime] = [fields[0], fields[2], fields[19]]
  if (state === undefined || group === undefined || startTime === undefined) return null
  return { pid, group: Number(group), startTime, ended: state === 'Z' || state === 'X' }
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** The living members of a process group. */
export function groupMembers(group: number): ProcessEntry[] {
  return processIds()
    .map(readProcess)
    .filter((entry): entry is ProcessEntry => entry !== null && entry.group === group && !entry.ended)
}

/** Into the buffer, as far as it reaches: between two steps this is asked of every process there is. */
function readEnvironment(pid: number, buffer: Buffer): Buffer | null {
  let file: number | null = null
  try {
    file = openSync(`/proc/${pid}/environ`, 'r')
    const length = readSync(file, buffer, 0, buffer.length, 0)
    return length < buffer.length ? buffer.subarray(0, length) : readFileSync(`/proc/${pid}/environ`)
  } catch {
    return null
  } finally {
    if (file !== null) closeSync(file)
  }
}

/** The process groups in which a living process of ours was started with this variable. */
export function groupsWithVariable(name: string, value: string): number[] {
  const wanted = Buffer.from(`\0${name}=${value}\0`)
  const groups = new Set<number>()
  const buffer = Buffer.allocUnsafe(64 * 1024)
  for (const pid of processIds()) {
    const environment = readEnvironment(pid, buffer)
    // The first variable has nothing in front of it.
    if (!environment?.includes(wanted) && !environment?.subarray(0, wanted.length - 1).equals(wanted.subarray(1)))
      continue
    const entry = readProcess(pid)
    if (entry && !entry.ended) groups.add(entry.group)
  }
  return [...groups]
}
