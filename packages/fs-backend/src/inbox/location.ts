import type { Reading } from '../reading.ts'
import {
  type DelayedName,
  type EndingName,
  type HeldName,
  type InboxLayout,
  inboxNames,
  type PendingName,
} from './inbox-layout.ts'
import type { EndedPlace, PendingPlace, Places } from './places.ts'

/** Where a task is. */
export type Location =
  | { at: 'delayed'; name: DelayedName; path: string }
  | { at: 'pending'; place: PendingPlace }
  | { at: 'processing'; name: HeldName; path: string }
  | { at: 'ending'; name: EndingName }
  | { at: 'ended'; place: EndedPlace }

export interface Locating {
  /** Null only where the task is nowhere. */
  locate(id: string): Promise<Location | null>
  /** As `locate`, without looking among what is over. */
  locateLive(id: string): Promise<Exclude<Location, { at: 'ended' }> | null>
}

export interface LocatingParts {
  layout: InboxLayout
  reading: Reading
  places: Places
  /** Sees a staged task through, forward or back. */
  finishStaged(id: string): Promise<void>
}

const mostPasses = 20

export const createLocating = ({ layout, reading, places, finishStaged }: LocatingParts): Locating => {
  const pendingWith = async (id: string): Promise<PendingPlace | null> => {
    for (const project of await places.projects()) {
      const place = (await places.pending(project)).find((other) => other.id === id)
      if (place) return place
    }
    return null
  }

  /** In the order in which tasks move: what moves on while this looks is met further along. */
  const livePass: Locating['locateLive'] = async (id) => {
    await finishStaged(id)
    const delayed = (await places.delayed()).find((name) => name.id === id)
    if (delayed) return { at: 'delayed', name: delayed, path: layout.delayedFile(delayed) }
    const place = await pendingWith(id)
    if (place) return { at: 'pending', place }
    const held = (await places.processing()).find((name) => name.id === id)
    if (held) return { at: 'processing', name: held, path: layout.heldFile(held) }
    const ending = (await places.ending()).find((name) => name.id === id)
    return ending ? { at: 'ending', name: ending } : null
  }

  const endedPass = async (id: string): Promise<Location | null> => {
    for (const status of ['done', 'failed'] as const)
      for (const month of await places.months(status)) {
        const place = (await places.endedIn(status, month)).find((other) => other.id === id)
        if (place) return { at: 'ended', place }
      }
    return null
  }

  /** A task comes back to where this has looked only after a record of a new version was written. */
  const versions = async (id: string): Promise<string> => {
    const names = (await reading.files(layout.records)).map(inboxNames.parseRecord)
    return names
      .filter((name): name is PendingName => name?.id === id)
      .map(({ version }) => version)
      .sort((a, b) => a - b)
      .join()
  }

  const settled = async <T>(id: string, pass: (id: string) => Promise<T | null>): Promise<T | null> => {
    for (let turn = 0, before = ''; turn < mostPasses; turn += 1) {
      const found = await pass(id)
      if (found) return found
      const after = await versions(id)
      if (turn > 0 && after === before) return null
      before = after
    }
    return null
  }

  return {
    locateLive: (id) => settled(id, livePass),
    locate: (id) => settled(id, async (wanted) => (await livePass(wanted)) ?? (await endedPass(wanted))),
  }
}
