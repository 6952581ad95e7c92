import type { InboxStatus, InboxStore } from '@nexus/core'

/** The ids of all tasks of that status, through the public list. */
export const idsOf = async (inbox: InboxStore, status: InboxStatus): Promise<Set<string>> => {
  const ids = new Set<string>()
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await inbox.list({ status, limit: 1000, cursor: cursor ?? undefined })
    for (const { id } of page.items) ids.add(id)
    cursor = page.cursor
  }
  return ids
}
