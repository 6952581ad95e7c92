import { endGroup, type GroupEnding } from './process-group.ts'
import { groupsWithVariable, hasProcessTable, readProcess } from './process-table.ts'
import type { RunFolder } from './run-folder.ts'
import { RUN_VARIABLE } from './run-variable.ts'

/** Looks for processes that left the group; each may have started another while it was being ended. */
const mostLooks = 5

/** The process groups that a run has here by the mark in their environment, our own not among them. */
export function markedGroups(paths: RunFolder): number[] {
  const own = readProcess(process.pid)?.group ?? process.pid
  return groupsWithVariable(RUN_VARIABLE, paths.folder).filter((group) => group !== own)
}

/**
 * Ends the agent's group and whatever of its run went into a group or session of its own (setsid, a daemon, a terminal
 * multiplexer). What took the mark out of its environment, or runs as another user, is not found. False when processes
 * outlived SIGKILL.
 */
export async function endRun(paths: RunFolder, group: number, ending: GroupEnding): Promise<boolean> {
  let ended = await endGroup(group, ending)
  if (!hasProcessTable()) return ended
  for (let look = 0; look < mostLooks; look += 1) {
    const groups = markedGroups(paths)
    if (groups.length === 0) return ended
    const outcomes = await Promise.all(groups.map((stray) => endGroup(stray, ending)))
    ended = outcomes.every(Boolean) && ended
  }
  return ended && markedGroups(paths).length === 0
}
