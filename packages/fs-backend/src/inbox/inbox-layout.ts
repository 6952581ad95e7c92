import { join } from 'node:path'
import { type Layout, sha256, shortHash } from '../layout.ts'

/** Why a hold, or a pending task, ended. */
const endKinds = ['done', 'dead', 'loop', 'cancel', 'fail', 'free', 'swept'] as const
export type EndKind = (typeof endKinds)[number]

/** A pending task of ours: `version` counts the holds and revivals that ended before. */
export interface PendingName {
  id: string
  version: number
}

/** One that also says its place in the order. */
export interface QueuedName extends PendingName {
  priority: number
  /** Epoch milliseconds. */
  due: number
}

export interface DelayedName extends PendingName {
  /** Epoch milliseconds. */
  due: number
}

/** One hold of one task; the lease lies in the name so that the rename that claims also says how long. */
export interface HeldName {
  id: string
  epoch: number
  holder: string
  leaseMs: number
}

/** A task between two places. Whoever finds it can finish the way, because the name says all of it. */
export interface EndingName {
  id: string
  epoch: number
  holder: string
  kind: EndKind
  /** `runAt` of what returns, `processedAt` of what is over. Epoch milliseconds. */
  at: number
  nonce: string
}

export interface EndedName {
  id: string
  epoch: number
  holder: string
}

export type EndedStatus = 'done' | 'failed'

/** Where a task lies that is over. */
export interface EndedPlace extends EndedName {
  status: EndedStatus
  month: string
}

/** In place of a holder where nobody held the task. */
export const noHolder = '0'

const base36 = (value: number, width = 0): string =>
  Math.max(0, Math.min(Math.ceil(value), Number.MAX_SAFE_INTEGER))
    .toString(36)
    .padStart(width, '0')

const pendingPattern = /^task_([0-9a-z]{1,32})(?:\.([0-9]{1,9})(?:\.([0-9a-z]{1,2})\.([0-9a-z]{1,11}))?)?\.md$/
const endedRecordPattern = /^([0-9a-z]+)\.([0-9]+)\.([0-9a-z]+)\.(done|failed)\.([0-9+-]+)\.json$/
const partsPattern = /^[0-9a-z]+(?:\.[0-9a-z]+)*$/

const parts = (name: string, count: number): string[] | null => {
  const found = partsPattern.test(name) ? name.split('.') : []
  return found.length === count ? found : null
}

/** Priorities may be negative. */
const priorityZero = 100

/** Beyond what a name can say, which is what tasks of ours have, the record alone says it. */
const priorityText = (priority: number): string => base36(Math.min(priority + priorityZero, 36 ** 2 - 1))

/** A lease that is no whole number keeps its bits; no whole one is that long. */
const leaseText = (leaseMs: number): string => {
  if (Number.isSafeInteger(leaseMs)) return base36(leaseMs)
  const bits = Buffer.alloc(8)
  bits.writeDoubleBE(leaseMs)
  return `x${bits.toString('hex')}`
}

const parseLease = (text: string): number =>
  /^x[0-9a-f]{16}$/.test(text) ? Buffer.from(text.slice(1), 'hex').readDoubleBE() : Number.parseInt(text, 36)

/** Whether a task of that id can lie here under it: it is part of file names. */
export const isTaskId = (id: string): boolean => /^[0-9a-z]{1,32}$/.test(id)

/**
 * In the order of enqueueing, as far as ids tell: ours are of one length and begin with the time. Numbers, which other
 * backends give, were moved here before this one gave any.
 */
export const compareIds = (a: string, b: string): number => {
  const [first, second] = [isNumber(a), isNumber(b)]
  if (first !== second) return first ? -1 : 1
  return (first ? a.length - b.length : 0) || (a < b ? -1 : Number(a > b))
}

const isNumber = (id: string): boolean => /^[1-9][0-9]{0,18}$/.test(id)

/** When a task was made that has an id of ours; null where the id does not say it. */
const madeAt = (id: string): number | null =>
  /^[0-9a-z]{25}$/.test(id) ? Math.floor(Number.parseInt(id.slice(0, 11), 36) / 1000) : null

const isEndKind = (text: string): text is EndKind => endKinds.some((kind) => kind === text)

/** Names that carry their meaning, so that a listing tells the state of the queue and a rename decides a race. */
export const inboxNames = {
  /** A new task of no priority that is due since it was made needs no more than its id. */
  pending: ({ id, version, priority, due }: QueuedName): string =>
    version === 0 && priority === 0 && due === madeAt(id)
      ? `task_${id}.md`
      : `task_${id}.${version}.${priorityText(priority)}.${base36(due)}.md`,
  /** `order` is null where the name does not say it: other programs' names, and ours of earlier versions. */
  parsePending(name: string): { task: PendingName; order: Pick<QueuedName, 'priority' | 'due'> | null } | null {
    const [, id, version, priority, due] = pendingPattern.exec(name) ?? []
    if (id === undefined) return null
    // The name of a task that another backend numbered says more.
    if (version === undefined && isNumber(id)) return null
    if (version === undefined) {
      const made = madeAt(id)
      return { task: { id, version: 0 }, order: made === null ? null : { priority: 0, due: made } }
    }
    const task = { id, version: Number(version) }
    if (priority === undefined || due === undefined) return { task, order: null }
    return {
      task,
      order: { priority: Number.parseInt(priority, 36) - priorityZero, due: Number.parseInt(due, 36) },
    }
  },

  staged: ({ id, version }: PendingName): string => `${id}.${version}`,
  parseStaged(name: string): PendingName | null {
    const [id = '', version = ''] = parts(name, 2) ?? []
    return id === '' ? null : { id, version: Number(version) }
  },

  /** The due time first: a listing in byte order is one by due time. */
  delayed: ({ id, version, due }: DelayedName): string => `${base36(due, 11)}.${id}.${version}`,
  parseDelayed(name: string): DelayedName | null {
    const [due = '', id = '', version = ''] = parts(name, 3) ?? []
    return id === '' ? null : { due: Number.parseInt(due, 36), id, version: Number(version) }
  },

  held: ({ id, epoch, holder, leaseMs }: HeldName): string => `${id}.${epoch}.${holder}.${leaseText(leaseMs)}`,
  parseHeld(name: string): HeldName | null {
    const [id = '', epoch = '', holder = '', lease = ''] = parts(name, 4) ?? []
    return id === '' ? null : { id, epoch: Number(epoch), holder, leaseMs: parseLease(lease) }
  },
  /** What all names of one hold start with. */
  hold: ({ id, epoch, holder }: EndedName): string => `${id}.${epoch}.${holder}`,

  ending: ({ id, epoch, holder, kind, at, nonce }: EndingName): string =>
    `${id}.${epoch}.${holder}.${kind}.${base36(at)}.${nonce}`,
  parseEnding(name: string): EndingName | null {
    const [id = '', epoch = '', holder = '', kind = '', at = '', nonce = ''] = parts(name, 6) ?? []
    return isEndKind(kind) ? { id, epoch: Number(epoch), holder, kind, at: Number.parseInt(at, 36), nonce } : null
  },

  ended: ({ id, epoch, holder }: EndedName): string => `${id}.${epoch}.${holder}.md`,
  parseEnded(name: string): EndedName | null {
    const [id = '', epoch = '', holder = '', suffix] = parts(name, 4) ?? []
    return suffix === 'md' ? { id, epoch: Number(epoch), holder } : null
  },

  /** Where the task lies is in the name too, so that one small folder tells it. */
  endedRecord: (status: EndedStatus, month: string, name: EndedName): string =>
    `${inboxNames.hold(name)}.${status}.${month}.json`,
  parseEndedRecord(name: string): EndedPlace | null {
    const [, id = '', epoch = '', holder = '', status, month = ''] = endedRecordPattern.exec(name) ?? []
    return status === 'done' || status === 'failed' ? { id, epoch: Number(epoch), holder, status, month } : null
  },

  record: ({ id, version }: PendingName): string => `${id}.${version}.json`,
  parseRecord(name: string): PendingName | null {
    const [id = '', version = '', suffix] = parts(name, 3) ?? []
    return suffix === 'json' ? { id, version: Number(version) } : null
  },

  mark: ({ id, epoch }: { id: string; epoch: number }): string => `${id}.${epoch}`,
} as const

/** A worker's name in file names. */
export const holderOf = (worker: string): string => sha256(worker).slice(0, 16)

/**
 * The id of a file that a person or another program put there. It tells the same file every time it is looked at, and
 * two files of one name apart; the creation time in front lets it sort among the ids that we give.
 */
export const handMadeId = (
  project: string,
  filename: string,
  { ino, birthtimeMs }: { ino: number; birthtimeMs: number },
): string => {
  const place = BigInt(`0x${sha256(JSON.stringify([project, filename, ino])).slice(0, 18)}`)
  return base36(Math.floor(birthtimeMs * 1000), 11) + place.toString(36).padStart(14, '0')
}

export const monthOf = (at: number): string => new Date(at).toISOString().split('-').slice(0, -1).join('-')

const fanOf = (id: string): string => shortHash(id).slice(0, 2)

/** Fanned out by two hex digits. */
const fanned = (...key: (string | null)[]): string => {
  const hash = shortHash(JSON.stringify(key))
  return join(hash.slice(0, 2), hash.slice(2))
}

export const registerKeys = {
  name: (project: string, workspace: string, filename: string): string => fanned('name', project, workspace, filename),
  key: (idempotencyKey: string): string => fanned('key', idempotencyKey),
  issue: (project: string, issueNumber: string): string => fanned('issue', project, issueNumber),
} as const

/** The hidden half of the inbox. Documented folders hold only pending tasks. [C-FILES-1] */
export const createInboxLayout = ({ inbox, inboxProject, inboxTask, inboxShared }: Layout) => ({
  inbox,
  project: inboxProject,
  task: inboxTask,
  pendingFile: (project: string, name: QueuedName): string => inboxTask(project, inboxNames.pending(name)),
  /** Not in the queue before its identity is registered: new tasks, and dead letters on their way back. */
  staged: inboxShared('staged'),
  stagedFile: (name: PendingName): string => inboxShared('staged', inboxNames.staged(name)),
  records: inboxShared('meta'),
  record: (name: PendingName): string => inboxShared('meta', inboxNames.record(name)),
  delayed: inboxShared('delayed'),
  delayedFile: (name: DelayedName): string => inboxShared('delayed', inboxNames.delayed(name)),
  processing: inboxShared('processing'),
  heldFile: (name: HeldName): string => inboxShared('processing', inboxNames.held(name)),
  ending: inboxShared('releasing'),
  endingFile: (name: EndingName): string => inboxShared('releasing', inboxNames.ending(name)),
  /** What a failure said, until its task has left `releasing`. */
  errorFile: (nonce: string): string => inboxShared('errors', nonce),
  errors: inboxShared('errors'),
  bound: inboxShared('bound'),
  boundFile: (hold: { id: string; epoch: number }): string => inboxShared('bound', inboxNames.mark(hold)),
  cancel: inboxShared('cancel'),
  cancelFile: (hold: { id: string; epoch: number }): string => inboxShared('cancel', inboxNames.mark(hold)),
  holderFile: (holder: string): string => inboxShared('holders', holder),
  ended: (status: EndedStatus): string => inboxShared(status),
  endedMonth: (status: EndedStatus, month: string): string => inboxShared(status, month),
  endedFile: (status: EndedStatus, month: string, name: EndedName): string =>
    inboxShared(status, month, inboxNames.ended(name)),
  /** Fanned out by id, whenever a task ended: what became of one is found without a look at all. */
  endedRecords: inboxShared('ended'),
  endedRecordsWith: (id: string): string => inboxShared('ended', fanOf(id)),
  endedRecord: (status: EndedStatus, month: string, name: EndedName): string =>
    inboxShared('ended', fanOf(name.id), inboxNames.endedRecord(status, month, name)),
  news: inboxShared('news'),
  /** The greatest id that came from elsewhere and is ahead of our clock. */
  idFloor: inboxShared('floor'),
  identities: inboxShared('ids'),
  running: inboxShared('running'),
  registerTemp: inboxShared('tmp'),
})

export type InboxLayout = ReturnType<typeof createInboxLayout>
