import { systemClock } from '@nexus/core'
import { survivingGroups } from './observe.ts'
import { endGroup } from './process-group.ts'
import { currentProcess } from './process-identity.ts'
import { isAttempt, runFolder } from './run-folder.ts'
import { readExit, readSpec, readStarted } from './run-records.ts'
import { stopRun } from './stop.ts'

export type Killed =
  | { readonly status: 'killed' | 'ended' | 'absent' }
  /** It was started on this machine, or in this container, before that was started anew, or on another one. */
  | { readonly status: 'elsewhere'; readonly host: string }
  /** Processes outlived SIGKILL. */
  | { readonly status: 'survived' }

/**
 * Ends a run at once and for good, whether its supervisor lives or not: its supervisor is told, and what its records and
 * the mark in the processes' environment prove to be its own gets SIGTERM, and SIGKILL after the grace.
 */
export async function killRun(root: string, attempt: string): Promise<Killed> {
  if (!isAttempt(attempt)) return { status: 'absent' }
  const paths = runFolder(root, attempt)
  const spec = await readSpec(paths.spec).catch(() => null)
  if (!spec) return { status: 'absent' }
  if (await readExit(paths.exit)) return { status: 'ended' }
  const started = await readStarted(paths.started)
  const here = currentProcess()
  if (started && (started.hostId !== here.hostId || started.bootId !== here.bootId))
    return { status: 'elsewhere', host: started.hostId }
  await stopRun(paths, systemClock)
  const groups = started ? await survivingGroups(paths, started) : []
  const ended = await Promise.all(groups.map((group) => endGroup(group, { graceMs: spec.graceMs })))
  return { status: ended.every(Boolean) ? 'killed' : 'survived' }
}
