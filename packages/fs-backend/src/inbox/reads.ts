import {
  boundedCount,
  type CorruptEntry,
  countCeiling,
  decodeCursor,
  encodeCursor,
  type InboxStore,
  type InboxTask,
  inboxStatuses,
  invalid,
  isStoreError,
  type Page,
  pageLimit,
  type StoreError,
} from '@nexus/core'
import { ifPossible } from '../fs-errors.ts'
import type { Holders } from './claim.ts'
import { type EndingName, type EndKind, monthOf } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import type { Location } from './location.ts'
import type { EndedStatus } from './places.ts'
import { decodeMarkdown, type TaskRecord, type TaskState, toTask } from './record.ts'

export type ReadVerbs = Pick<InboxStore, 'load' | 'counts' | 'list'>

interface Listed {
  id: string
  status: string
  location: Location
}

const mostTurns = 5

/** The id that the page before ended with. */
const readCursor = (filter: { cursor?: string | undefined }): string | null => {
  const key = decodeCursor(filter, 1)
  if (key === null) return null
  if (typeof key[0] !== 'string') throw invalid('The cursor is not one that this list gave out.')
  return key[0]
}

interface Sources {
  record(): Promise<TaskRecord | null>
  path: string
  state: TaskState
}

/** What a task between two places will be. */
const statusAfter = {
  done: 'done',
  dead: 'failed',
  loop: 'failed',
  cancel: 'failed',
  fail: 'pending',
  free: 'pending',
  swept: 'pending',
} as const satisfies Record<EndKind, TaskState['status']>

const createTaskReading = ({ inbox, records, reading, endings }: InboxTools, holders: Holders) => {
  /** The newest record of a task that cannot be seen through now. */
  const lastRecord = async (name: EndingName): Promise<TaskRecord | null> => {
    const status = statusAfter[name.kind]
    const ended = status === 'pending' ? null : inbox.endedRecord(status, monthOf(name.at), name)
    const next = ended ? await records.loadFile(ended) : await records.load({ id: name.id, version: name.epoch })
    if (next) return next
    const version = name.kind === 'cancel' ? name.epoch : name.epoch - 1
    const base = await records.load({ id: name.id, version })
    const bound = await reading.read(inbox.boundFile(name))
    return base && bound ? { ...base, issueNumber: bound.bytes.toString('utf8') } : base
  }

  const sourcesOf = async (location: Location): Promise<Sources | null> => {
    switch (location.at) {
      case 'pending': {
        const { place } = location
        return {
          path: place.path,
          state: { status: 'pending' },
          async record() {
            if (place.corrupt) throw place.corrupt
            return place.record
          },
        }
      }
      case 'delayed':
        return { path: location.path, state: { status: 'pending' }, record: () => records.load(location.name) }
      case 'processing': {
        const { id, epoch, holder } = location.name
        const state = { status: 'processing' as const, claimedBy: await holders.read(holder) }
        return { path: location.path, state, record: () => records.load({ id, version: epoch - 1 }) }
      }
      case 'ended': {
        const { status, month, ...name } = location.place
        const file = inbox.endedRecord(status, month, name)
        return {
          path: inbox.endedFile(status, month, name),
          state: { status },
          record: () => records.loadFile(file),
        }
      }
      case 'ending': {
        const { name } = location
        if (await ifPossible(() => endings.finish(name))) return null
        return {
          path: inbox.endingFile(name),
          state: { status: statusAfter[name.kind] },
          record: () => lastRecord(name),
        }
      }
    }
  }

  /** What a holder and a person added to the record while the task was held. */
  const withMarks = async (location: Location, record: TaskRecord): Promise<TaskRecord> => {
    if (location.at !== 'processing') return record
    const bound = await reading.read(inbox.boundFile(location.name))
    const cancel = await reading.stat(inbox.cancelFile(location.name))
    return {
      ...record,
      issueNumber: bound ? bound.bytes.toString('utf8') : record.issueNumber,
      cancelRequested: record.cancelRequested || cancel !== null,
    }
  }

  /** Null where it moved on meanwhile. */
  return async (location: Location): Promise<InboxTask | null> => {
    const sources = await sourcesOf(location)
    const record = await sources?.record()
    const file = sources && (await reading.read(sources.path))
    return record && file ? toTask(await withMarks(location, record), decodeMarkdown(file.bytes), sources.state) : null
  }
}

const createCollecting = ({ places, inbox }: InboxTools) => {
  const live = async (wanted: (status: string) => boolean): Promise<Listed[]> => {
    const found: Listed[] = []
    if (wanted('pending')) {
      for (const name of await places.delayed())
        found.push({ id: name.id, status: 'pending', location: { at: 'delayed', name, path: inbox.delayedFile(name) } })
      for (const project of await places.projects())
        for (const place of await places.pending(project))
          found.push({ id: place.id, status: 'pending', location: { at: 'pending', place } })
    }
    if (wanted('processing'))
      for (const name of await places.processing())
        found.push({
          id: name.id,
          status: 'processing',
          location: { at: 'processing', name, path: inbox.heldFile(name) },
        })
    return found
  }

  const ending = async (wanted: (status: string) => boolean): Promise<Listed[]> =>
    (await places.ending())
      .map((name): Listed => ({ id: name.id, status: statusAfter[name.kind], location: { at: 'ending', name } }))
      .filter(({ status }) => wanted(status))

  /** Names only: what is over is many, and only a page of it is read. */
  return async (status: string | undefined): Promise<Listed[]> => {
    const wanted = (other: string): boolean => status === undefined || status === other
    const found = [...(await live(wanted)), ...(await ending(wanted))]
    for (const ended of ['done', 'failed'] as const)
      for (const month of wanted(ended) ? await places.months(ended) : [])
        for (const place of await places.endedIn(ended, month))
          found.push({ id: place.id, status: ended, location: { at: 'ended', place } })
    const once = new Map(found.reverse().map((item) => [item.id, item]))
    return [...once.values()].sort((a, b) => (a.id < b.id ? 1 : -1))
  }
}

export const createReadVerbs = (tools: InboxTools, holders: Holders): ReadVerbs => {
  const { places } = tools
  const read = createTaskReading(tools, holders)
  const collect = createCollecting(tools)

  const load = async (id: string): Promise<InboxTask | null> => {
    for (let turn = 0; turn < mostTurns; turn += 1) {
      const location = await tools.locate(id)
      if (!location) return null
      const task = await read(location)
      if (task) return task
    }
    return null
  }

  const corruptEntry = ({ id, status }: Listed, error: StoreError): CorruptEntry => ({
    name: id,
    place: error.place ?? `${status} ${id}`,
    reason: error.message,
    rev: error.rev ?? '',
  })

  const readListed = async (listed: Listed): Promise<InboxTask | CorruptEntry | null> => {
    try {
      return (await read(listed.location)) ?? (await load(listed.id))
    } catch (error) {
      if (isStoreError(error, 'corrupt')) return corruptEntry(listed, error)
      throw error
    }
  }

  const pageOf = async (found: Listed[], limit: number, project: string | undefined): Promise<Page<InboxTask>> => {
    const page: Page<InboxTask> = { items: [], corrupt: [], cursor: null }
    let last: string | null = null
    for (const listed of found) {
      const entry = await readListed(listed)
      const isWanted = entry && ('rev' in entry || project === undefined || entry.project === project)
      if (!isWanted) continue
      if (page.items.length + page.corrupt.length === limit) return { ...page, cursor: encodeCursor([last]) }
      if ('rev' in entry) page.corrupt.push(entry)
      else page.items.push(entry)
      last = listed.id
    }
    return page
  }

  const countEnded = async (status: EndedStatus): Promise<number> => {
    let counted = 0
    for (const month of await places.months(status)) {
      counted += (await places.endedIn(status, month)).length
      if (counted > countCeiling) break
    }
    return counted
  }

  return {
    async load(id, options) {
      tools.checkOpen(options)
      return load(id)
    },

    async counts(options) {
      tools.checkOpen(options)
      await ifPossible(tools.finishAll)
      const between = (await places.ending()).map(({ kind }) => statusAfter[kind])
      const countBetween = (status: string): number => between.filter((other) => other === status).length
      let pending = countBetween('pending') + (await places.delayed()).length
      for (const project of await places.projects()) pending += (await places.pendingFiles(project)).length
      return {
        pending,
        processing: (await places.processing()).length,
        done: boundedCount(countBetween('done') + (await countEnded('done'))),
        failed: boundedCount(countBetween('failed') + (await countEnded('failed'))),
      }
    },

    async list(filter = {}, options) {
      tools.checkOpen(options)
      const limit = pageLimit(filter)
      const before = readCursor(filter)
      if (filter.status !== undefined && !inboxStatuses.some((status) => status === filter.status))
        return { items: [], corrupt: [], cursor: null }
      await ifPossible(tools.finishAll)
      const found = (await collect(filter.status)).filter(({ id }) => before === null || id < before)
      return pageOf(found, limit, filter.project)
    },
  }
}
