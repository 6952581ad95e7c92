import { type HostStateStore, isJsonObject, isStoreError, type JsonObject } from '@nexus/core'

/** The key of the host state that tells other programs of the issues worked on. */
export const trackedIssuesKey = 'tracked_issues'

/** The member of an issue: its number, unless another project has that; then `project/issue`. */
export const trackedMember = (
  tracked: JsonObject,
  { project, issueNumber }: { project: string; issueNumber: string },
): string => {
  const held = tracked[issueNumber]
  const isFree = held === undefined || (isJsonObject(held) && held['project'] === project)
  return isFree ? issueNumber : `${project}/${issueNumber}`
}

/** Marks an issue that is tracked as cancelled. What another program made of the key stays as it is. */
export const trackCancelled = async (
  hostState: HostStateStore,
  issue: { project: string; issueNumber: string },
): Promise<void> => {
  try {
    const tracked = (await hostState.load(trackedIssuesKey))?.value
    if (!isJsonObject(tracked)) return
    const member = trackedMember(tracked, issue)
    const present = tracked[member]
    if (isJsonObject(present))
      await hostState.patch(trackedIssuesKey, { entries: { [member]: { ...present, status: 'cancelled' } } })
  } catch (error) {
    if (!isStoreError(error, 'corrupt')) throw error
  }
}
