import {
  type CorruptEntry,
  decodeCursor,
  encodeCursor,
  type InboxFilter,
  type InboxTask,
  invalid,
  isStoreError,
  type Page,
  pageLimit,
  type StoreError,
} from '@nexus/core'
import { createSlices } from '../slices.ts'
import { compareIds } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import type { Location } from './location.ts'
import { mapSome } from './places.ts'
import { createSelection, type Selection } from './selection.ts'
import { statusAfter } from './task-reading.ts'

const readTogether = 32

/** In a big folder each turn may bring a page of copied files to light. */
const mostTurns = 50

/** Where a page is filled by few of many, so many names are looked through at a time. */
const mostSelected = 16_384
const growth = 8

/** A task as its name tells it. */
export interface Named {
  id: string
  status: string
  locate(): Promise<Location | null>
}

interface Listed {
  id: string
  status: string
  /** Null where it moved on meanwhile. */
  location: Location | null
}

/** What a page is to hold. */
interface Wanted {
  limit: number
  /** The id that the page before ended with. */
  below: string | null
  status: string | undefined
  project: string | undefined
}

export const readFilter = (filter: InboxFilter): Wanted => {
  const limit = pageLimit(filter)
  const [below = null] = decodeCursor(filter, 1) ?? []
  if (below !== null && typeof below !== 'string') throw invalid('The cursor is not one that this list gave out.')
  return { limit, below, status: filter.status, project: filter.project }
}

const newestFirst = (a: string, b: string): number => compareIds(b, a)

type Chosen = Pick<Selection<Named>, 'wants' | 'add'>

/** Goes through the names of everything that may be wanted, in the order in which tasks move. */
export const createGathering = ({ places, queue, inbox }: InboxTools) => {
  const waiting = async (selection: Chosen, wantedProject: string | undefined): Promise<void> => {
    const status = 'pending'
    const slices = createSlices()
    await queue.delayed.refresh(true)
    for (const name of queue.delayed.entries()) {
      if (slices.isOver()) await slices.next()
      if (!selection.wants(name.id)) continue
      const location: Location = { at: 'delayed', name, path: inbox.delayedFile(name) }
      selection.add(name.id, { id: name.id, status, locate: async () => location })
    }
    for (const project of await places.projects()) {
      if (wantedProject !== undefined && project !== wantedProject) continue
      await queue.pending(project).refresh(true)
      await queue.lookAtAll(project)
      for (const entry of queue.pending(project).entries()) {
        if (slices.isOver()) await slices.next()
        if (!selection.wants(entry.id)) continue
        const locate = async (): Promise<Location | null> => {
          const place = await queue.look(project, entry)
          return place && { at: 'pending', place }
        }
        selection.add(entry.id, { id: entry.id, status, locate })
      }
    }
  }

  return async (selection: Chosen, { status, project }: Pick<Wanted, 'status' | 'project'>): Promise<void> => {
    const wanted = (other: string): boolean => status === undefined || status === other
    const add = (id: string, its: string, location: Location): void =>
      selection.add(id, { id, status: its, locate: async () => location })
    if (wanted('pending')) await waiting(selection, project)
    if (wanted('processing'))
      for (const name of await places.processing())
        add(name.id, 'processing', { at: 'processing', name, path: inbox.heldFile(name) })
    for (const name of await places.ending()) {
      const after = statusAfter[name.kind]
      if (wanted(after)) add(name.id, after, { at: 'ending', name })
    }
    for (const ended of ['done', 'failed'] as const)
      for (const month of wanted(ended) ? await places.months(ended) : [])
        await places.endedIn(ended, month, (found) => {
          for (const place of found) if (selection.wants(place.id)) add(place.id, ended, { at: 'ended', place })
        })
  }
}

/** The newest tasks below an id; no more than these are held. */
const createNewest = (tools: InboxTools) => {
  const gather = createGathering(tools)

  const located = async (named: Named[]): Promise<Listed[]> => {
    const found: Listed[] = []
    for (const { id, status, locate } of named) found.push({ id, status, location: await locate() })
    return found
  }

  /** A file that turned out to be none of ours is another task, which stands elsewhere in the order. */
  const isOther = ({ id, location }: Listed): boolean => location?.at === 'pending' && location.place.id !== id

  return async (wanted: Wanted, most: number): Promise<Listed[]> => {
    for (let turn = 1; ; turn += 1) {
      const selection = createSelection<Named>(most, { beyond: wanted.below, compare: newestFirst })
      await gather(selection, wanted)
      const groups = await mapSome(selection.all(), readTogether, located)
      if (groups.flat().some(isOther) && turn < mostTurns) continue
      return groups.flatMap((group) => group.find(({ location }) => location) ?? group[0] ?? [])
    }
  }
}

export const corruptEntry = ({ id, status }: Pick<Listed, 'id' | 'status'>, error: StoreError): CorruptEntry => ({
  name: id,
  place: error.place ?? `${status} ${id}`,
  reason: error.message,
  rev: error.rev ?? '',
})

export interface ReadTask {
  /** Null where it moved on meanwhile. */
  at(location: Location): Promise<InboxTask | null>
  load(id: string): Promise<InboxTask | null>
}

export const createList = (tools: InboxTools, read: ReadTask) => {
  const newest = createNewest(tools)

  const readListed = async (listed: Listed): Promise<InboxTask | CorruptEntry | null> => {
    try {
      return (listed.location && (await read.at(listed.location))) ?? (await read.load(listed.id))
    } catch (error) {
      if (isStoreError(error, 'corrupt')) return corruptEntry(listed, error)
      throw error
    }
  }

  /** False where the page is full before all were read. */
  const fill = async (
    page: Page<InboxTask>,
    listed: readonly Listed[],
    { limit, project }: Wanted,
  ): Promise<boolean> => {
    for (let from = 0; from < listed.length; from += readTogether) {
      const slice = listed.slice(from, from + readTogether)
      const entries = await mapSome(slice, readTogether, async (one) => ({ id: one.id, entry: await readListed(one) }))
      for (const { id, entry } of entries) {
        const isWanted = entry && ('rev' in entry || project === undefined || entry.project === project)
        if (!isWanted) continue
        if (page.items.length + page.corrupt.length === limit) return false
        if ('rev' in entry) page.corrupt.push(entry)
        else page.items.push(entry)
        page.cursor = encodeCursor([id])
      }
    }
    return true
  }

  return async (wanted: Wanted): Promise<Page<InboxTask>> => {
    const page: Page<InboxTask> = { items: [], corrupt: [], cursor: null }
    let { below } = wanted
    for (let most = wanted.limit + 1; ; most = Math.min(most * growth, mostSelected)) {
      const listed = await newest({ ...wanted, below }, most)
      if (!(await fill(page, listed, wanted))) return page
      if (listed.length < most) return { ...page, cursor: null }
      below = listed.at(-1)?.id ?? null
    }
  }
}
