import { setTimeout as delay } from 'node:timers/promises'
import { groupMembers, hasProcessTable } from './process-table.ts'

export interface GroupEnding {
  /** How long the group may clean up after SIGTERM before SIGKILL, and how long it may take to vanish after that. */
  readonly graceMs: number
}

const LOOK_EVERY_MS = 20

// ESRCH: nobody left. EPERM: nobody left whom we may signal (macOS says so of a group of zombies).
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch {
    return false
  }
}

// kill(2) counts zombies, and in a container whose pid 1 reaps nobody they stay: the process table decides where there is one.
function groupLives(group: number): boolean {
  return signalGroup(group, 0) && (!hasProcessTable() || groupMembers(group).length > 0)
}

async function groupVanishes(group: number, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs
  while (groupLives(group)) {
    if (performance.now() >= until) return false
    await delay(LOOK_EVERY_MS)
  }
  return true
}

/** SIGTERM to the whole group, SIGKILL after the grace; false when processes outlived even that. */
export async function endGroup(group: number, { graceMs }: GroupEnding): Promise<boolean> {
  if (!groupLives(group)) return true
  signalGroup(group, 'SIGTERM')
  // A stopped process takes SIGTERM only once it continues.
  signalGroup(group, 'SIGCONT')
  if (await groupVanishes(group, graceMs)) return true
  signalGroup(group, 'SIGKILL')
  return groupVanishes(group, Math.max(graceMs, 1_000))
}
