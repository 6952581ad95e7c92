import { join } from 'node:path'
import { inboxNames } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import { removeEntry } from './register.ts'

/** How long a leftover is watched before it goes, in milliseconds of this opening's monotonic clock. */
export const leftoverMs = 600_000

/**
 * Removes what crashed processes left and nothing refers to. What belongs to a write under way looks the same, so a
 * leftover goes only after it was seen for ten minutes; a process that slept longer writes its task anew.
 */
export const createCleanUp = (tools: InboxTools) => {
  const { clock, reading, atomic, inbox, places, locate, locateLive, staging, revive } = tools
  const seen = new Map<string, number>()

  const isOld = (path: string): boolean => {
    const since = seen.get(path)
    if (since === undefined) seen.set(path, clock.monotonic())
    return since !== undefined && clock.monotonic() - since >= leftoverMs
  }

  /** Files of `folder` that stood there, unused, for the whole time. */
  const leftovers = async (folder: string, isUsed: (name: string) => boolean): Promise<string[]> => {
    const old: string[] = []
    for (const name of await reading.files(folder)) {
      if (isUsed(name)) seen.delete(join(folder, name))
      else if (isOld(join(folder, name))) old.push(name)
    }
    return old
  }

  const staged = async (): Promise<void> => {
    for (const file of await leftovers(inbox.staged, () => false)) {
      const name = inboxNames.parseStaged(file)
      if (name && name.version > 0) await revive(name)
      else if (name) {
        await staging.finish(name)
        if (await reading.stat(inbox.stagedFile(name))) await staging.discard(name.id)
      }
    }
  }

  const records = async (live: Map<string, number>): Promise<void> => {
    const isCurrent = (name: string): boolean => {
      const record = inboxNames.parseRecord(name)
      return record === null || (live.get(record.id) ?? -1) <= record.version
    }
    const isUsed = (name: string): boolean => {
      const record = inboxNames.parseRecord(name)
      return record !== null && live.has(record.id) && isCurrent(name)
    }
    for (const name of await leftovers(inbox.records, isUsed)) {
      const record = inboxNames.parseRecord(name)
      if (!record) continue
      if (live.has(record.id) || (await locateLive(record.id)) === null) await tools.records.remove(record)
    }
  }

  const marks = async (folder: string, holds: ReadonlySet<string>): Promise<void> => {
    for (const name of await leftovers(folder, (mark) => holds.has(mark))) {
      const live = await locate(name.split('.')[0] ?? '')
      const isHeld = live?.at === 'processing' && inboxNames.mark(live.name) === name
      if (!isHeld && live?.at !== 'ending') await atomic.remove(join(folder, name))
    }
  }

  /** The lowest version of each live task whose record is still needed. */
  const liveVersions = async (): Promise<Map<string, number>> => {
    const live = new Map<string, number>()
    for (const { id, version } of await places.staged()) live.set(id, version)
    for (const { id, version } of await places.delayed()) live.set(id, version)
    for (const project of await places.projects())
      for (const file of await places.pendingFiles(project)) {
        const name = inboxNames.parsePending(file)
        if (name) live.set(name.id, name.version)
      }
    for (const { id, epoch } of await places.processing()) live.set(id, epoch - 1)
    for (const { id, epoch } of await places.ending()) live.set(id, epoch - 1)
    return live
  }

  const entries = async (): Promise<void> => {
    for (const name of await reading.folders(inbox.registerTemp)) {
      const path = join(inbox.registerTemp, name)
      if (isOld(path)) await removeEntry(tools, path)
    }
  }

  /** What is gone need not be remembered. */
  const forget = async (): Promise<void> => {
    const entriesLeft = new Set(
      (await reading.folders(inbox.registerTemp)).map((name) => join(inbox.registerTemp, name)),
    )
    for (const path of seen.keys()) if (!entriesLeft.has(path) && !(await reading.stat(path))) seen.delete(path)
  }

  return async (): Promise<void> => {
    const holds = new Set([...(await places.processing()), ...(await places.ending())].map(inboxNames.mark))
    const endingNonces = new Set((await places.ending()).map(({ nonce }) => nonce))
    await staged()
    await records(await liveVersions())
    await marks(inbox.bound, holds)
    await marks(inbox.cancel, holds)
    for (const name of await leftovers(inbox.errors, (nonce) => endingNonces.has(nonce)))
      await atomic.remove(join(inbox.errors, name))
    await entries()
    await forget()
  }
}
