import { basename } from 'node:path'
import type { FsTools } from '../tools.ts'
import { createFolderIndex, type FolderIndex, type IndexTools } from './folder-index.ts'
import { compareIds, type DelayedName, type InboxLayout, inboxNames, type QueuedName } from './inbox-layout.ts'
import { mapSome, type PendingPlace, type Places } from './places.ts'
import type { TaskRecord } from './record.ts'

/** A file in a project's folder, as far as a listing tells. */
export interface PendingEntry extends QueuedName {
  file: string
  isHandMade: boolean
}

export interface DelayedEntry extends DelayedName {
  file: string
}

type PendingIndex = FolderIndex<PendingEntry>

/** A file of a task that waits. */
export interface Waiting {
  /** Null among the delayed ones. */
  project: string | null
  path: string
}

/** The tasks that wait, by name: where they lie and in which order they are due. */
export interface Queue {
  pending(project: string): PendingIndex
  delayed: FolderIndex<DelayedEntry>
  /** Puts a task where it waits, and tells everybody who keeps an index. Null where it was not at `from`. */
  enter(from: string, record: TaskRecord, version: number): Promise<Waiting | null>
  /** Where a task waits, by the same rule. */
  waitingAt(record: TaskRecord, version: number): Waiting
  /** It came to where it waits, by another step than `enter`. */
  came(waiting: Waiting): Promise<void>
  /** It was moved from where it waited. */
  left(waiting: Waiting): Promise<void>
  /** What an entry is, read now; the index learns where that is not what the name told. Null where it is gone. */
  look(project: string, entry: PendingEntry): Promise<PendingPlace | null>
  /**
   * Looks at all entries that only their names vouch for, so that a copy of a file of ours stands under its own id. In
   * a big folder that shows when its turn comes.
   */
  lookAtAll(project: string): Promise<void>
}

const readTogether = 32
const delayedNews = ''

/** [C-INBOX-4] */
const claimOrder = (a: PendingEntry, b: PendingEntry): number =>
  b.priority - a.priority || a.due - b.due || compareIds(a.id, b.id)

const delayedOrder = (a: DelayedEntry, b: DelayedEntry): number => a.due - b.due

const queuedName = ({ id, priority, runAt }: TaskRecord, version: number): QueuedName => ({
  id,
  version,
  priority,
  due: runAt,
})

/** What cannot be read stands where its name says, or first, so that it is reported. */
const entryOf = ({ id, version, file, handMade, record }: PendingPlace): PendingEntry => {
  const order = inboxNames.parsePending(file)?.order ?? { priority: 0, due: 0 }
  if (!record) return { id, version, file, ...order, isHandMade: false }
  const due = handMade ? record.createdAt : record.runAt
  return { id, version, file, priority: record.priority, due, isHandMade: handMade !== null }
}

const isSame = (a: PendingEntry, b: PendingEntry): boolean =>
  a.id === b.id && a.priority === b.priority && a.due === b.due && a.isHandMade === b.isHandMade

export interface QueueParts extends Pick<FsTools, 'atomic' | 'reading' | 'clock'>, IndexTools {
  layout: InboxLayout
  places: Places
}

/** Of what its name tells no more is read; the rest is looked at by every listing. */
const createPendingReading =
  (places: Places, project: string) =>
  async (files: readonly string[], known: (file: string) => PendingEntry | undefined): Promise<PendingEntry[]> => {
    const read = async (file: string): Promise<PendingEntry | null> => {
      const place = await (known(file)?.isHandMade ? places.handMadeAt(project, file) : places.pendingAt(project, file))
      return place && entryOf(place)
    }
    const entries: PendingEntry[] = []
    const others: string[] = []
    for (const file of files.filter(places.isTaskFile)) {
      const before = known(file)
      const name = before ? null : inboxNames.parsePending(file)
      if (before && !before.isHandMade) entries.push(before)
      else if (name?.order) entries.push({ ...name.task, ...name.order, file, isHandMade: false })
      else others.push(file)
    }
    for (const entry of await mapSome(others, readTogether, read)) if (entry) entries.push(entry)
    return entries
  }

const readDelayed = async (files: readonly string[]): Promise<DelayedEntry[]> =>
  files.flatMap((file) => {
    const name = inboxNames.parseDelayed(file)
    return name ? [{ ...name, file }] : []
  })

export const createQueue = (parts: QueueParts): Queue => {
  const { layout, places, atomic, reading, clock, news } = parts
  const projects = new Map<string, PendingIndex>()
  /** Entries that turned out to be what their names tell: a record never changes, so once is enough. */
  const vouched = new WeakSet<PendingEntry>()

  const pending = (project: string): PendingIndex => {
    const present = projects.get(project)
    if (present) return present
    const indexing = {
      name: project,
      folder: layout.project(project),
      compare: claimOrder,
      read: createPendingReading(places, project),
    }
    const index = createFolderIndex<PendingEntry>(parts, indexing)
    projects.set(project, index)
    return index
  }

  const delayed = createFolderIndex<DelayedEntry>(parts, {
    name: delayedNews,
    folder: layout.delayed,
    compare: delayedOrder,
    read: readDelayed,
  })

  const look: Queue['look'] = async (project, entry) => {
    const index = pending(project)
    const isThere = !index.isBig() || (await reading.stat(layout.task(project, entry.file))) !== null
    const place = isThere ? await places.pendingAt(project, entry.file) : null
    if (!place) index.drop(entry.file)
    else if (!isSame(entry, entryOf(place))) index.replace(entryOf(place))
    else if (!entry.isHandMade) vouched.add(entry)
    return place
  }

  const waitingAt = (record: TaskRecord, version: number): Waiting => {
    const name = queuedName(record, version)
    const project = record.runAt > clock.now() ? null : record.project
    return { project, path: project === null ? layout.delayedFile(name) : layout.pendingFile(project, name) }
  }

  const came = ({ project, path }: Waiting): Promise<void> =>
    news.tell({ kind: '+', folder: project ?? delayedNews, file: basename(path) })

  return {
    pending,
    delayed,
    waitingAt,
    came,
    async enter(from, record, version) {
      const waiting = waitingAt(record, version)
      if ((await atomic.move(from, waiting.path)) === 'absent') return null
      await came(waiting)
      return waiting
    },
    async left({ project, path }) {
      const index = project === null ? delayed : pending(project)
      index.drop(basename(path))
      if (index.isTold()) await news.tell({ kind: '-', folder: project ?? delayedNews, file: basename(path) })
    },
    look,
    async lookAtAll(project) {
      const index = pending(project)
      if (index.isBig()) return
      const named = [...index.entries()].filter((entry) => !entry.isHandMade && !vouched.has(entry))
      await mapSome(named, readTogether, (entry) => look(project, entry))
    },
  }
}
