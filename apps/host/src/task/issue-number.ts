import { type HostStateStore, isJsonObject, isStoreError, type JsonObject, type JsonValue } from '@nexus/core'
import { stateKeys } from './host-records.ts'

/** Null where nothing is, and where another program left what nobody can read: then no issue is known to be tracked. */
const readTracked = async (hostState: HostStateStore): Promise<JsonValue | null> => {
  try {
    return (await hostState.load(stateKeys.trackedIssues))?.value ?? null
  } catch (error) {
    if (!isStoreError(error, 'corrupt')) throw error
    return null
  }
}

/** Issue numbers that the host tracks for this project. Entries of other shapes belong to nobody. */
const trackedOf = (project: string, tracked: JsonValue | null): Set<string> => {
  if (!isJsonObject(tracked)) return new Set()
  return new Set(
    Object.entries(tracked)
      .filter(([, entry]) => isJsonObject(entry) && entry['project'] === project)
      .map(([key]) => key.split('/').at(-1) ?? key),
  )
}

const numberIn = (value: JsonValue | undefined): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0

/**
 * A number for a task that names none: the project's next that no tracked issue has. A crash after this and before the
 * task is bound to it only skips a number.
 */
export const allocateIssueNumber = async (
  hostState: HostStateStore,
  project: string,
  prefix: string,
): Promise<string> => {
  const taken = trackedOf(project, await readTracked(hostState))
  for (;;) {
    let given = 0
    const result = await hostState.update(stateKeys.issueCounters, (value) => {
      const counters: JsonObject = isJsonObject(value ?? undefined) ? (value as JsonObject) : {}
      given = numberIn(counters[project]) + 1
      while (taken.has(`${prefix}${given}`)) given += 1
      return { ...counters, [project]: given }
    })
    if (result.status === 'saved') return `${prefix}${given}`
  }
}
