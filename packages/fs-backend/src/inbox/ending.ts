import type { FsTools } from '../tools.ts'
import type { Identities } from './identities.ts'
import {
  type EndedStatus,
  type EndingName,
  type EndKind,
  type HeldName,
  type InboxLayout,
  inboxNames,
  monthOf,
  noHolder,
  type PendingName,
  registerKeys,
} from './inbox-layout.ts'
import type { Places } from './places.ts'
import type { Queue, Waiting } from './queue.ts'
import { encodeRecord, type Records, type TaskRecord, unlessCorrupt } from './record.ts'
import type { Register } from './register.ts'

const rules = {
  done: { to: 'done', attempts: 0, recoveries: 0 },
  dead: { to: 'failed', attempts: 1, recoveries: 0 },
  loop: { to: 'failed', attempts: 0, recoveries: 1 },
  cancel: { to: 'failed', attempts: 0, recoveries: 0 },
  fail: { to: 'pending', attempts: 1, recoveries: 0 },
  free: { to: 'pending', attempts: 0, recoveries: 0 },
  swept: { to: 'pending', attempts: 0, recoveries: 1 },
} as const satisfies Record<EndKind, { to: EndedStatus | 'pending'; attempts: 0 | 1; recoveries: 0 | 1 }>

interface EndRequest {
  kind: EndKind
  /** `runAt` of what returns, `processedAt` of what is over. */
  at: number
  error?: string
}

/**
 * How a hold ends. One rename into `releasing` takes the task from its holder: that is the moment at which it ended. The
 * rest follows from the name, in steps that may be repeated and raced by whoever finds it there, so a crash at any of
 * them leaves a task that the next claim, sweep or open puts where it belongs.
 */
export interface Endings {
  /** Null where the hold is not there any more. */
  endHold(held: HeldName, request: EndRequest): Promise<EndingName | null>
  /** Ends what nobody holds; its record must be of this `version`. */
  endPending(waiting: Waiting, pending: PendingName, request: EndRequest): Promise<EndingName | null>
  /** True where it did not return because a person had asked for its end. [C-INBOX-15] */
  finish(name: EndingName): Promise<boolean>
  /** As `finish`, with the task going to another hold; false where somebody else finished it. */
  handOver(name: EndingName, next: HeldName): Promise<boolean>
  /** The record that follows from the ending, made durable. Null where somebody else is past that step. */
  settle(name: EndingName): Promise<TaskRecord | null>
  /** Finishes what lies in `releasing`, ours and others'. */
  finishAll(): Promise<void>
}

export interface EndingsParts {
  tools: FsTools
  layout: InboxLayout
  records: Records
  places: Places
  identities: Identities
  running: Register
  queue: Queue
}

const baseVersion = ({ kind, epoch }: EndingName): number => (kind === 'cancel' ? epoch : epoch - 1)

const isOver = ({ kind }: EndingName): boolean => rules[kind].to !== 'pending'

const createSettling = ({ tools: { reading, atomic, logger }, layout, records }: EndingsParts) => {
  const endedPlace = (name: EndingName): [EndedStatus, string, EndingName] => [
    name.kind === 'done' ? 'done' : 'failed',
    monthOf(name.at),
    name,
  ]

  const errorOf = async ({ kind, nonce }: EndingName, before: string | null): Promise<string | null> => {
    if (kind === 'loop') return 'crash loop'
    if (kind === 'cancel') return 'cancelled'
    const file = kind === 'fail' || kind === 'dead' ? await reading.read(layout.errorFile(nonce)) : null
    return file ? file.bytes.toString('utf8') : before
  }

  const following = async (name: EndingName, base: TaskRecord): Promise<TaskRecord> => {
    const rule = rules[name.kind]
    const bound = await reading.read(layout.boundFile(name))
    const cancel = await reading.stat(layout.cancelFile(name))
    return {
      ...base,
      attempts: base.attempts + rule.attempts,
      recoveries: base.recoveries + rule.recoveries,
      issueNumber: bound ? bound.bytes.toString('utf8') : base.issueNumber,
      cancelRequested: base.cancelRequested || cancel !== null,
      error: await errorOf(name, base.error),
      runAt: name.kind === 'fail' || name.kind === 'free' ? name.at : base.runAt,
      processedAt: isOver(name) ? name.at : null,
    }
  }

  const present = (name: EndingName): Promise<TaskRecord | null> =>
    isOver(name)
      ? records.loadFile(layout.endedRecord(...endedPlace(name)))
      : records.load({ id: name.id, version: name.epoch })

  const settle = async (name: EndingName): Promise<TaskRecord | null> => {
    const settled = await present(name)
    if (settled) return settled
    const base = await records.load({ id: name.id, version: baseVersion(name) })
    if (!base) {
      const isLeft = await reading.stat(layout.endingFile(name))
      if (isLeft && !(await present(name))) logger.error('A task has lost its record', { id: name.id })
      return null
    }
    const next = await following(name, base)
    if (isOver(name)) await atomic.createOnce(layout.endedRecord(...endedPlace(name)), encodeRecord(next))
    else await records.create(next, name.epoch)
    return present(name)
  }
  return { settle, endedPlace }
}

/** The last step of an ending: the task goes where it belongs, after what its hold needed is gone. */
const createLeaving = ({ tools: { atomic }, layout, records, identities, running, queue }: EndingsParts) => {
  /** Before the task leaves `releasing`: a crash in between is found there and cleaned up again. */
  const cleanUp = async (name: EndingName, record: TaskRecord): Promise<void> => {
    const { id, project, workspace, filename, idempotencyKey, issueNumber } = record
    if (issueNumber !== null && name.holder !== noHolder)
      await running.release(registerKeys.issue(project, issueNumber), inboxNames.hold(name))
    if (isOver(name) && idempotencyKey === null)
      await identities.free(registerKeys.name(project, workspace, filename), { id, version: name.epoch })
    await atomic.remove(layout.boundFile(name))
    await atomic.remove(layout.cancelFile(name))
    if (name.kind === 'fail' || name.kind === 'dead') await atomic.remove(layout.errorFile(name.nonce))
    await records.remove({ id, version: baseVersion(name) })
  }

  /** To where it waits again. Null where somebody else finished it. */
  const giveBack = async (name: EndingName, record: TaskRecord): Promise<Waiting | null> => {
    await cleanUp(name, record)
    return queue.enter(layout.endingFile(name), record, name.epoch)
  }

  const move = async (name: EndingName, record: TaskRecord, path: string): Promise<boolean> => {
    await cleanUp(name, record)
    return (await atomic.move(layout.endingFile(name), path)) === 'moved'
  }
  return { giveBack, move }
}

export const createEndings = (parts: EndingsParts): Endings => {
  const { tools, layout, places, queue } = parts
  const { atomic, ids } = tools
  const { settle, endedPlace } = createSettling(parts)
  const { giveBack, move } = createLeaving(parts)

  const end = async (from: string, name: Omit<EndingName, 'nonce'>, error?: string): Promise<EndingName | null> => {
    const ending = { ...name, nonce: ids.next() }
    if (error !== undefined) await atomic.createOnce(layout.errorFile(ending.nonce), error)
    if ((await atomic.move(from, layout.endingFile(ending))) === 'moved') return ending
    if (error !== undefined) await atomic.remove(layout.errorFile(ending.nonce))
    return null
  }

  const endPending: Endings['endPending'] = async (waiting, { id, version }, { kind, at, error }) => {
    const ending = await end(waiting.path, { id, epoch: version, holder: noHolder, kind, at }, error)
    if (ending) await queue.left(waiting)
    return ending
  }

  /** A crash in between leaves it pending, and the claim that meets it there ends it. */
  const stop = async (name: EndingName, record: TaskRecord): Promise<void> => {
    const waiting = await giveBack(name, record)
    const pending = { id: name.id, version: name.epoch }
    const ending = waiting && (await endPending(waiting, pending, { kind: 'cancel', at: tools.clock.now() }))
    if (ending) await finish(ending)
  }

  const finish = async (name: EndingName): Promise<boolean> => {
    const record = await settle(name)
    if (!record) return false
    const isStopped = record.cancelRequested && !isOver(name)
    if (isStopped) await stop(name, record)
    else await (isOver(name) ? move(name, record, layout.endedFile(...endedPlace(name))) : giveBack(name, record))
    return isStopped
  }

  return {
    settle,
    endHold: (held, { kind, at, error }) =>
      end(layout.heldFile(held), { id: held.id, epoch: held.epoch, holder: held.holder, kind, at }, error),
    endPending,
    finish,
    async handOver(name, next) {
      const record = await settle(name)
      return record !== null && (await move(name, record, layout.heldFile(next)))
    },
    async finishAll() {
      for (const name of await places.ending())
        await unlessCorrupt(
          () => finish(name),
          ({ message }) => tools.logger.error('A task cannot leave releasing', { id: name.id, reason: message }),
        )
    },
  }
}
