import type { Clock } from '@nexus/core'
import { markedGroups } from './end-run.ts'
import { signatureOf } from './file-watch.ts'
import { endGroup } from './process-group.ts'
import { currentProcess, liveness } from './process-identity.ts'
import { readProcess } from './process-table.ts'
import type { RunFolder } from './run-folder.ts'
import { type RunExit, readAgent, readExit, readSpec, readStarted, recordExit, type Started } from './run-records.ts'

export type RunState =
  | { readonly status: 'absent' }
  /** Everything is written down and nobody has started it: launch it (again) or stop it. */
  | { readonly status: 'prepared' }
  | {
      readonly status: 'running'
      /** The agent, leader of its own process group; null for the moment between its supervisor's start and its own. */
      readonly pid: number | null
      readonly supervisorPid: number
      readonly startedAt: string
    }
  | { readonly status: 'ended'; readonly exit: RunExit }

export interface ObserverOptions {
  readonly clock: Clock
  readonly leaseMs: number
  readonly graceMs: number
}

/** Says in which state a run is, and settles the run of a supervisor that died without a word. */
export function createObserver({ clock, leaseMs, graceMs }: ObserverOptions) {
  const lastSigns = new Map<string, { readonly signature: string | null; readonly seen: number }>()
  const settling = new Map<string, Promise<RunState>>()

  // A supervisor of another pid namespace (the container before this one) cannot be looked up, only listened for.
  function silentMs(paths: RunFolder): number {
    const signature = signatureOf(paths.started)
    const last = lastSigns.get(paths.attempt)
    if (last && last.signature === signature) return clock.monotonic() - last.seen
    lastSigns.set(paths.attempt, { signature, seen: clock.monotonic() })
    return 0
  }

  function settle(paths: RunFolder, started: Started, message: string): Promise<RunState> {
    const present = settling.get(paths.attempt)
    if (present) return present
    const settled = settleLost(paths, started, message).finally(() => settling.delete(paths.attempt))
    settling.set(paths.attempt, settled)
    return settled
  }

  async function settleLost(paths: RunFolder, started: Started, message: string): Promise<RunState> {
    const spec = await readSpec(paths.spec).catch(() => null)
    for (const group of await survivingGroups(paths, started))
      await endGroup(group, { graceMs: spec?.graceMs ?? graceMs })
    const endedAt = new Date(clock.now()).toISOString()
    return {
      status: 'ended',
      exit: await recordExit(paths, { code: null, signal: null, reason: 'supervisor-lost', endedAt, message }),
    }
  }

  return async function observe(paths: RunFolder): Promise<RunState> {
    const exit = await readExit(paths.exit)
    if (exit) {
      lastSigns.delete(paths.attempt)
      return { status: 'ended', exit }
    }
    const started = await readStarted(paths.started)
    if (!started) return { status: (await readSpec(paths.spec)) ? 'prepared' : 'absent' }
    const life = liveness(started)
    if (life === 'dead') {
      // It may have ended in order between the two looks.
      const late = await readExit(paths.exit)
      return late ? { status: 'ended', exit: late } : settle(paths, started, `supervisor ${started.pid} is gone`)
    }
    const spec = await readSpec(paths.spec)
    const limitMs = 2 * (spec?.leaseMs ?? leaseMs)
    if (life === 'unknown' && silentMs(paths) > limitMs) {
      return settle(paths, started, `no sign of life from ${started.hostId || 'its supervisor'} for ${limitMs} ms`)
    }
    const agent = await readAgent(paths.agent)
    return { status: 'running', pid: agent?.pid ?? null, supervisorPid: started.pid, startedAt: started.startedAt }
  }
}

// The supervisor may have died before it wrote the agent's pid down, and the agent before its children: then the mark
// in their environment finds them. A group that only happens to have the pid of our agent is left alone.
export async function survivingGroups(paths: RunFolder, started: Started): Promise<number[]> {
  const here = currentProcess()
  if (started.hostId !== here.hostId || started.bootId !== here.bootId) return []
  const agent = await readAgent(paths.agent)
  const groups = new Set(markedGroups(paths))
  if (agent && agent.startTime !== null && liveness({ ...started, ...agent }, here) === 'alive') groups.add(agent.pid)
  groups.delete(readProcess(process.pid)?.group ?? process.pid)
  return [...groups]
}
