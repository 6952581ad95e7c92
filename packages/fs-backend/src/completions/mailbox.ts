import { lstatSync, mkdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { type CallOptions, type CompletionStore, type Mailbox, StoreError } from '@nexus/core'
import { isVisibleName, recordName } from '../layout.ts'
import type { FsTools } from '../tools.ts'
import { watchFolder } from '../watch.ts'
import type { DropPlace, Drops } from './drops.ts'
import type { Seen } from './seen.ts'

/** Agents are told a place before anything was stored there; no symlink is followed to make it. */
const prepareFolder = (root: string, folder: string): void => {
  let at = root
  for (const part of relative(root, folder).split(sep)) {
    at = join(at, part)
    mkdirSync(at, { recursive: true })
    if (!lstatSync(at).isDirectory())
      throw new StoreError({ code: 'unavailable', message: `${at}: a symlink or file stands where a folder belongs.` })
  }
}

const createFind = ({ layout, reading }: FsTools, seen: Seen) => {
  const inProject = async (project: string): Promise<(DropPlace & { modifiedMs: number })[]> => {
    const found: (DropPlace & { modifiedMs: number })[] = []
    for (const name of await reading.files(layout.completions(project))) {
      const issueNumber = recordName.summary(name)
      if (issueNumber === null || !isVisibleName(name)) continue
      const path = layout.summary(project, issueNumber)
      const stat = await reading.stat(path)
      if (stat && !seen.isUnchanged(path, stat)) found.push({ project, issueNumber, path, modifiedMs: stat.mtimeMs })
    }
    return found
  }
  /** Summaries that this process has not found seen yet, oldest first. */
  return async (): Promise<DropPlace[]> => {
    const projects = (await reading.folders(layout.projects)).filter(isVisibleName)
    const found = (await Promise.all(projects.map(inProject))).flat()
    return found.sort((a, b) => a.modifiedMs - b.modifiedMs)
  }
}

/** The mailbox on opened tools, with the memory that the completion store beside it shares. */
export const createMailbox = (tools: FsTools, { drops, seen }: { drops: Drops; seen: Seen }): Mailbox => {
  const { root, layout, checkOpen } = tools
  const find = createFind(tools, seen)
  return {
    file(project, issueNumber) {
      const path = layout.summary(project, issueNumber)
      prepareFolder(root, dirname(path))
      return path
    },
    async collect(completions: Pick<CompletionStore, 'save'>, options?: CallOptions) {
      checkOpen(options)
      const collected: Awaited<ReturnType<Mailbox['collect']>> = { imported: [], rejected: [], waiting: 0 }
      for (const place of await find()) {
        options?.signal?.throwIfAborted()
        const outcome = await drops.import(place, completions, options)
        if (outcome.status === 'imported') collected.imported.push(outcome.drop)
        if (outcome.status === 'rejected') collected.rejected.push({ path: place.path, reason: outcome.reason })
        if (outcome.status === 'waiting') collected.waiting++
      }
      return collected
    },
    watch: (signal) => watchFolder(layout.projects, signal, (name) => name !== 'active' && name !== 'closed'),
  }
}
