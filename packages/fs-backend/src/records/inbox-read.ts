import { setTimeout as delay } from 'node:timers/promises'
import { type CorruptEntry, type InboxRecord, isStoreError, type Reading } from '@nexus/core'
import { isUnchanged, settleMs } from '../inbox/hand-made.ts'
import { createHolders } from '../inbox/holders.ts'
import { compareIds, inboxNames, noHolder, registerKeys } from '../inbox/inbox-layout.ts'
import type { InboxTools } from '../inbox/inbox-tools.ts'
import { corruptEntry, createGathering, type Named } from '../inbox/list.ts'
import type { Location } from '../inbox/location.ts'
import { mapSome } from '../inbox/places.ts'
import { createSelection } from '../inbox/selection.ts'
import { createTaskReading } from '../inbox/task-reading.ts'
import type { Shelves } from './page.ts'

/** A task as it lies there, and where. */
export interface FoundTask {
  location: Location
  record: InboxRecord
}

const together = 32

/** As many names are looked through for the next pages, and held. */
const most = 16_384

const everything = { status: undefined, project: undefined }

/** The last hold, ours or not; the next one is greater. */
const epochOf = (location: Location): number => {
  switch (location.at) {
    case 'pending':
    case 'ended':
      return location.at === 'ended' ? location.place.epoch : location.place.version
    case 'delayed':
      return location.name.version
    case 'processing':
    case 'ending':
      return location.name.epoch
  }
}

const createReadAt = (tools: InboxTools) => {
  const { running, clock, reading } = tools
  const holders = createHolders(tools)
  const readAt = createTaskReading(tools, holders)

  const holdOf = async (location: Location, { project, issueNumber }: InboxRecord): Promise<InboxRecord['hold']> => {
    if (location.at !== 'processing' || location.name.holder === noHolder) return null
    const { name } = location
    const worker = await holders.read(name.holder)
    const owner = issueNumber === null ? null : await running.owner(registerKeys.issue(project, issueNumber))
    return worker === null ? null : { worker, leaseMs: name.leaseMs, bound: owner === inboxNames.hold(name) }
  }

  /** A file that others write in place must stand still, as before a claim. */
  const isWhole = async (location: Location): Promise<boolean> => {
    const stat = location.at === 'pending' ? location.place.handMade : null
    if (location.at !== 'pending' || !stat || clock.now() - stat.mtimeMs >= settleMs) return true
    await delay(settleMs)
    const after = await reading.stat(location.place.path)
    return after !== null && isUnchanged(stat, after)
  }

  /** Null where it moved on meanwhile, or is still being written: a later reading meets it. Throws `corrupt`. */
  const read = async (location: Location): Promise<FoundTask | null> => {
    if (!(await isWhole(location))) return null
    const task = await readAt(location)
    if (!task) return null
    const { claimedBy: _, ...fields } = task
    const record = { ...fields, epoch: epochOf(location), hold: null }
    return { location, record: { ...record, hold: await holdOf(location, record) } }
  }
  return read
}

/** Whole tasks, wherever they lie. */
export const createInboxReading = (tools: InboxTools) => {
  const read = createReadAt(tools)
  const gather = createGathering(tools)

  /** What goes by these ids, of all that is there: one listing costs less than asking for each. */
  const whereAre = async (ids: ReadonlySet<string>): Promise<Map<string, Named[]>> => {
    const found = new Map<string, Named[]>()
    if (ids.size === 0) return found
    await gather(
      {
        wants: (id) => ids.has(id),
        add(id, named) {
          if (ids.has(id)) found.set(id, [...(found.get(id) ?? []), named])
        },
      },
      everything,
    )
    return found
  }

  /** The first of its places where it still is. */
  const readNamed = async (named: readonly Named[]): Promise<FoundTask | null> => {
    for (const { id, locate } of named) {
      const location = await locate()
      const found = location && (await read(location))
      if (found?.record.id === id) return found
    }
    return null
  }

  const orCorrupt = async (named: readonly Named[]): Promise<Reading<InboxRecord> | null> => {
    try {
      const found = await readNamed(named)
      return found && { ok: true, item: found.record }
    } catch (error) {
      const [first] = named
      if (!first || !isStoreError(error, 'corrupt')) throw error
      const corrupt: CorruptEntry = corruptEntry(first, error)
      return { ok: false, corrupt }
    }
  }

  return { readNamed, whereAre, orCorrupt, shelves: createShelves(tools, { gather, orCorrupt }) }
}

interface ShelfParts {
  gather: ReturnType<typeof createGathering>
  orCorrupt(named: readonly Named[]): Promise<Reading<InboxRecord> | null>
}

/** In the order of enqueueing: what lies in many folders is gone through for a stretch of ids at a time. */
const createShelves = (tools: InboxTools, { gather, orCorrupt }: ShelfParts): Shelves<InboxRecord> => {
  /** For the next page: where its tasks were. */
  let kept: { after: string | null; tasks: Map<string, Named[]>; isLast: boolean } | null = null

  const stretch = async (after: string | null) => {
    if (after !== null && kept?.tasks.has(after)) return kept
    const selection = createSelection<Named>(most + 1, { beyond: after, compare: compareIds })
    await gather(selection, everything)
    const all = selection.all()
    const tasks = new Map(all.slice(0, most).map((named) => [named[0]?.id ?? '', named]))
    kept = { after, tasks, isLast: all.length <= most }
    return kept
  }

  return {
    async *spots([last]) {
      for (let after: string | null = last ?? null; ; ) {
        const { tasks, isLast } = await stretch(after)
        for (const id of tasks.keys()) if (after === null || compareIds(after, id) < 0) yield [id]
        const end: string | undefined = [...tasks.keys()].at(-1)
        if (isLast || end === undefined) return
        after = end
        kept = null
      }
    },
    async readAll(spots) {
      const found = await mapSome(spots, together, async ([id = '']) => {
        const named = kept?.tasks.get(id)
        // It may have moved on since it was listed.
        return (named && (await orCorrupt(named))) ?? readAgain(id)
      })
      return found.filter((reading) => reading !== null)
    },
  }

  async function readAgain(id: string): Promise<Reading<InboxRecord> | null> {
    const location = await tools.locate(id)
    return location && orCorrupt([{ id, status: 'pending', locate: async () => location }])
  }
}
