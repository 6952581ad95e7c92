import type { Listing } from '../listing.ts'
import type { Reading } from '../reading.ts'
import {
  type DelayedName,
  type EndedPlace,
  type EndingName,
  type HeldName,
  type InboxLayout,
  inboxNames,
} from './inbox-layout.ts'
import type { PendingPlace, Places } from './places.ts'
import type { Queue } from './queue.ts'

/** Where a task is. */
export type Location =
  | { at: 'delayed'; name: DelayedName; path: string }
  | { at: 'pending'; place: PendingPlace }
  | { at: 'processing'; name: HeldName; path: string }
  | { at: 'ending'; name: EndingName }
  | { at: 'ended'; place: EndedPlace }

type LiveLocation = Exclude<Location, { at: 'ended' }>

export interface Locating {
  /** Null only where the task is nowhere. */
  locate(id: string): Promise<Location | null>
  /** As `locate`, without looking among what is over. */
  locateLive(id: string): Promise<LiveLocation | null>
}

export interface LocatingParts {
  layout: InboxLayout
  reading: Reading
  listing: Listing
  places: Places
  queue: Queue
  /** Sees a staged task through, forward or back. */
  finishStaged(id: string): Promise<void>
}

const mostPasses = 20

const createLivePass = ({ layout, reading, places, queue, finishStaged }: LocatingParts) => {
  const look = async (project: string, id: string): Promise<PendingPlace | null> => {
    const entry = queue.pending(project).withId(id)
    const place = entry ? await queue.look(project, entry) : null
    return place?.id === id ? place : null
  }

  /** Of several files of that id one is the task. */
  const search = async (project: string, id: string): Promise<PendingPlace | null> => {
    await queue.lookAtAll(project)
    for (const entry of [...queue.pending(project).entries()].filter((other) => other.id === id)) {
      const place = await queue.look(project, entry)
      if (place?.id === id) return place
    }
    return null
  }

  const pendingWith = async (id: string, isExact: boolean): Promise<PendingPlace | null> => {
    for (const project of await places.projects()) {
      const index = queue.pending(project)
      await index.refresh(isExact)
      const place = (await look(project, id)) ?? (isExact ? await search(project, id) : null)
      if (place) return place
    }
    return null
  }

  const delayedWith = async (id: string, isExact: boolean): Promise<DelayedName | null> => {
    await queue.delayed.refresh(isExact)
    const name = queue.delayed.withId(id)
    if (!name || (await reading.stat(layout.delayedFile(name)))) return name ?? null
    queue.delayed.drop(name.file)
    return null
  }

  /** In the order in which tasks move: what moves on while this looks is met further along. */
  return async (id: string, isExact: boolean): Promise<LiveLocation | null> => {
    await finishStaged(id)
    const delayed = await delayedWith(id, isExact)
    if (delayed) return { at: 'delayed', name: delayed, path: layout.delayedFile(delayed) }
    const place = await pendingWith(id, isExact)
    if (place) return { at: 'pending', place }
    const held = (await places.processing()).find((name) => name.id === id)
    if (held) return { at: 'processing', name: held, path: layout.heldFile(held) }
    const ending = (await places.ending()).find((name) => name.id === id)
    return ending ? { at: 'ending', name: ending } : null
  }
}

const createEndedPass =
  ({ layout, reading, places }: LocatingParts) =>
  async (id: string): Promise<Location | null> => {
    for (const place of await places.endedRecords(id)) {
      const { status, month, ...name } = place
      if (await reading.stat(layout.endedFile(status, month, name))) return { at: 'ended', place }
    }
    return null
  }

export const createLocating = (parts: LocatingParts): Locating => {
  const livePass = createLivePass(parts)
  const endedPass = createEndedPass(parts)

  /** A task comes back to where this has looked only after a record of a new version was written. */
  const versions = async (id: string): Promise<string> => {
    const found: number[] = []
    await parts.listing.names(parts.layout.records, (files) => {
      for (const file of files) {
        const name = file.startsWith(id) ? inboxNames.parseRecord(file) : null
        if (name?.id === id) found.push(name.version)
      }
    })
    return found.sort((a, b) => a - b).join()
  }

  /** What is found is true. That nothing is takes two looks at everything, with nothing written in between. */
  const settled = async <T>(id: string, pass: (isExact: boolean) => Promise<T | null>): Promise<T | null> => {
    const known = await pass(false)
    if (known) return known
    for (let turn = 0, before = ''; turn < mostPasses; turn += 1) {
      const found = await pass(true)
      if (found) return found
      const after = await versions(id)
      if (turn > 0 && after === before) return null
      before = after
    }
    return null
  }

  return {
    locateLive: (id) => settled(id, (isExact) => livePass(id, isExact)),
    locate: (id) => settled(id, async (isExact) => (await livePass(id, isExact)) ?? (await endedPass(id))),
  }
}
