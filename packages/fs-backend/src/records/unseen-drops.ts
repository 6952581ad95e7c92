import type { CompletionStore } from '@nexus/core'
import { maxReportBytes } from '@nexus/core'
import type { DropPlace, Drops } from '../completions/drops.ts'
import type { Seen } from '../completions/seen.ts'
import type { OpenFolder } from '../folder.ts'
import { isDenied } from '../fs-errors.ts'
import { isVisibleName, recordName } from '../layout.ts'
import { look } from '../look.ts'
import { createSlices } from '../slices.ts'
import type { FsTools } from '../tools.ts'

export interface UnseenDrops {
  seen: Seen
  drops: Drops
  completions: Pick<CompletionStore, 'save'>
}

/**
 * Takes in what agents left, as a look into the mailbox does, but holding no more of it than what is new: there are as
 * many summaries as issues.
 */
export const createTakeIn = ({ layout, reading, listing }: FsTools, { seen, drops, completions }: UnseenDrops) => {
  const isUnseen = (folder: OpenFolder, project: string, name: string): (DropPlace & { modifiedMs: number }) | null => {
    const issueNumber = isVisibleName(name) ? recordName.summary(name) : null
    if (issueNumber === null) return null
    try {
      const file = look.read(folder, name, maxReportBytes)
      if (!file || seen.look(folder, { project, issueNumber, ...file }) !== null) return null
      return { project, issueNumber, path: layout.summary(project, issueNumber), modifiedMs: file.stat.mtimeMs }
    } catch (error) {
      // Whoever may not read it is not told of it by the stores either.
      if (isDenied(error)) return null
      throw error
    }
  }

  return async (signal: AbortSignal | undefined): Promise<void> => {
    const found: (DropPlace & { modifiedMs: number })[] = []
    const slices = createSlices(signal)
    for (const project of (await reading.folders(layout.projects)).filter(isVisibleName))
      await reading.within(layout.completions(project), undefined, (folder) =>
        listing.names(folder.path, async (names) => {
          for (const name of names) {
            if (slices.isOver()) await slices.next()
            const place = isUnseen(folder, project, name)
            if (place) found.push(place)
          }
        }),
      )
    for (const place of found.sort((a, b) => a.modifiedMs - b.modifiedMs)) {
      signal?.throwIfAborted()
      await drops.import(place, completions, { signal, isHome: true })
    }
  }
}
