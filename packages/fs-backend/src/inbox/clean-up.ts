import { join } from 'node:path'
import { inboxNames } from './inbox-layout.ts'
import { type InboxTools, isHolding } from './inbox-tools.ts'
import { removeEntry } from './register.ts'

/** How long a leftover is watched before it goes, in milliseconds of this opening's monotonic clock. */
export const leftoverMs = 600_000

/** How often is looked for leftovers at most. */
const lookMs = leftoverMs / 2

/** Which paths were leftovers at every look for the whole time. */
const createWatching = (clock: InboxTools['clock']) => {
  let before = new Map<string, number>()
  let now = new Map<string, number>()
  return {
    isOld(path: string): boolean {
      const since = before.get(path) ?? clock.monotonic()
      now.set(path, since)
      return clock.monotonic() - since >= leftoverMs
    },
    /** A path that was no leftover at the look that ends is forgotten. */
    endLook(): void {
      before = now
      now = new Map()
    },
  }
}

/** The lowest version of each task in the queue whose record is still needed. */
const liveVersions = async ({ places, queue }: InboxTools): Promise<Map<string, number>> => {
  const live = new Map<string, number>()
  for (const { id, version } of await places.staged()) live.set(id, version)
  await queue.delayed.refresh(true)
  for (const { id, version } of queue.delayed.entries()) live.set(id, version)
  for (const project of await places.projects()) {
    await queue.pending(project).refresh(true)
    for (const { id, version } of queue.pending(project).entries()) live.set(id, version)
  }
  for (const { id, epoch } of await places.processing()) live.set(id, epoch - 1)
  for (const { id, epoch } of await places.ending()) live.set(id, epoch - 1)
  return live
}

type IsOld = (path: string) => boolean

const createLeftovers =
  ({ reading }: InboxTools, isOld: IsOld) =>
  async (folder: string, isUsed: (name: string) => boolean): Promise<string[]> =>
    (await reading.files(folder)).filter((name) => !isUsed(name) && isOld(join(folder, name)))

/** Of tasks that are in the queue, or were about to be. */
const createLiveCleanUp = (tools: InboxTools, isOld: IsOld) => {
  const { reading, atomic, inbox, locateLive, staging, revive } = tools
  const leftovers = createLeftovers(tools, isOld)

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

  const records = async (live: ReadonlyMap<string, number>): Promise<void> => {
    const isUsed = (name: string): boolean => {
      const record = inboxNames.parseRecord(name)
      const version = record ? live.get(record.id) : undefined
      return record !== null && version !== undefined && version <= record.version
    }
    for (const name of await leftovers(inbox.records, isUsed)) {
      const record = inboxNames.parseRecord(name)
      if (record && (live.has(record.id) || (await locateLive(record.id)) === null)) await tools.records.remove(record)
    }
  }

  /** What was noted for a hold, under its name. */
  const marks = async (folder: string, holds: ReadonlySet<string>): Promise<void> => {
    for (const name of await leftovers(folder, (mark) => holds.has(mark))) await atomic.remove(join(folder, name))
  }

  return { staged, records, marks }
}

/** Of names and issues: entries of a register whose owner is gone, and those that were never placed. */
const createRegisterCleanUp = (tools: InboxTools, isOld: IsOld) => {
  const { reading, inbox, places, locate, identities, running } = tools

  const isIdentityNeeded = async (id: string): Promise<boolean> => {
    const location = await locate(id)
    if (location?.at !== 'ended') return location !== null
    const { status, month, ...name } = location.place
    const record = await tools.records.loadFile(inbox.endedRecord(status, month, name))
    return record === null || record.idempotencyKey !== null
  }

  /** Identities and running marks whose owner is gone do no harm, since they can be taken; they only take up room. */
  const owners = async (live: ReadonlyMap<string, number>): Promise<void> => {
    for (const { key, task } of await identities.entries()) {
      const isGone = !live.has(task.id) && !(await isIdentityNeeded(task.id))
      if (isGone && isOld(join(inbox.identities, key, task.id))) await identities.free(key, task)
    }
    for (const { key, token } of await running.entries())
      if (!(await isHolding(places, token)) && isOld(join(inbox.running, key, token))) await running.release(key, token)
  }

  const prepared = async (): Promise<void> => {
    for (const name of await reading.folders(inbox.registerTemp)) {
      const path = join(inbox.registerTemp, name)
      if (isOld(path)) await removeEntry(tools, path)
    }
  }

  return { owners, prepared }
}

/** Records of what is over that lost their task: it was purged or requeued while somebody slept. */
const createEndedCleanUp =
  ({ reading, atomic, inbox, listing }: InboxTools, isOld: IsOld) =>
  async (moving: ReadonlySet<string>): Promise<void> => {
    for (const fan of await reading.folders(inbox.endedRecords)) {
      const folder = join(inbox.endedRecords, fan)
      const byMonth = new Map<string, Map<string, string>>()
      for (const file of await reading.files(folder)) {
        const place = inboxNames.parseEndedRecord(file)
        if (!place || moving.has(place.id)) continue
        const month = inbox.endedMonth(place.status, place.month)
        byMonth.set(month, (byMonth.get(month) ?? new Map<string, string>()).set(inboxNames.ended(place), file))
      }
      for (const [month, files] of byMonth)
        for (const name of await listing.absent(month, [...files.keys()])) {
          const path = join(folder, files.get(name) ?? '')
          if (isOld(path)) await atomic.remove(path)
        }
    }
  }

/**
 * Removes what crashed processes left and nothing refers to. What belongs to a write under way looks the same, so a
 * leftover goes only after it was seen for ten minutes; a process that slept longer writes its task anew.
 */
export const createCleanUp = (tools: InboxTools): (() => Promise<void>) => {
  const { clock, inbox, places } = tools
  const { isOld, endLook } = createWatching(clock)
  const { staged, records, marks } = createLiveCleanUp(tools, isOld)
  const { owners, prepared } = createRegisterCleanUp(tools, isOld)
  const endedRecords = createEndedCleanUp(tools, isOld)
  let lookedAt: number | null = null

  return async () => {
    if (lookedAt !== null && clock.monotonic() - lookedAt < lookMs) return
    lookedAt = clock.monotonic()
    await staged()
    const ending = await places.ending()
    const holds = new Set([...(await places.processing()), ...ending].map(inboxNames.mark))
    await marks(inbox.bound, holds)
    await marks(inbox.cancel, holds)
    await marks(inbox.errors, new Set(ending.map(({ nonce }) => nonce)))
    const live = await liveVersions(tools)
    await records(live)
    await owners(live)
    await endedRecords(new Set([...(await places.staged()), ...ending].map(({ id }) => id)))
    await prepared()
    endLook()
  }
}
