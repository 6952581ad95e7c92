import type { InboxTask } from '@nexus/core'
import { ifPossible } from '../fs-errors.ts'
import type { Holders } from './holders.ts'
import { type EndingName, type EndKind, monthOf } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import type { Location } from './location.ts'
import { decodeMarkdown, type TaskRecord, type TaskState, toTask } from './record.ts'

interface Sources {
  record(): Promise<TaskRecord | null>
  path: string
  state: TaskState
}

/** What a task between two places will be. */
export const statusAfter = {
  done: 'done',
  dead: 'failed',
  loop: 'failed',
  cancel: 'failed',
  fail: 'pending',
  free: 'pending',
  swept: 'pending',
} as const satisfies Record<EndKind, TaskState['status']>

/** Where the parts of a task lie. */
const createSources = ({ inbox, records, reading, endings }: InboxTools, holders: Holders) => {
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

  return async (location: Location): Promise<Sources | null> => {
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
}

export const createTaskReading = (tools: InboxTools, holders: Holders) => {
  const { inbox, reading } = tools
  const sourcesOf = createSources(tools, holders)

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
