import type { InboxRecord } from '@nexus/core'
import { StoreError } from '@nexus/core'
import type { NewFile } from '../bulk.ts'
import { each } from '../each.ts'
import { beat } from '../inbox/heartbeat.ts'
import { createHolders } from '../inbox/holders.ts'
import { holderOf, inboxNames, monthOf, noHolder, registerKeys } from '../inbox/inbox-layout.ts'
import type { InboxTools } from '../inbox/inbox-tools.ts'
import type { Location } from '../inbox/location.ts'
import type { Waiting } from '../inbox/queue.ts'
import { encodeRecord, type TaskRecord } from '../inbox/record.ts'
import { identityKey } from '../inbox/staging.ts'
import type { FoundTask } from './inbox-read.ts'

const together = 16

/** Of a claim that no lease watches: longer than anybody waits. */
const endlessMs = Number.MAX_SAFE_INTEGER

/** How a task is to lie: its markdown, the record beside it, and what is noted of it elsewhere. */
interface Placed {
  task: TaskRecord
  path: string
  recordPath: string
  /** That the next hold counts from. */
  version: number
  waiting: Waiting | null
  hold: { name: string; worker: string | null; boundFile: string; isBound: boolean } | null
  /** Under which it is known, to itself or until it is purged; null where it is over and has no key. */
  identity: string | null
}

const taskOf = ({ markdown: _, status: __, epoch: ___, hold: ____, ...fields }: InboxRecord): TaskRecord => ({
  ...fields,
  runAt: fields.runAt.getTime(),
  createdAt: fields.createdAt.getTime(),
  processedAt: fields.processedAt?.getTime() ?? null,
})

const createPlacing = ({ inbox, queue }: InboxTools) => {
  return (record: InboxRecord): Placed => {
    const { id, epoch, status, hold } = record
    const task = taskOf(record)
    const placed = { task, version: epoch, waiting: null, hold: null, identity: identityKey(task) }
    if (status === 'done' || status === 'failed') {
      const name = { id, epoch, holder: noHolder }
      const month = monthOf(task.processedAt ?? task.createdAt)
      const identity = task.idempotencyKey === null ? null : placed.identity
      const recordPath = inbox.endedRecord(status, month, name)
      return { ...placed, identity, path: inbox.endedFile(status, month, name), recordPath }
    }
    if (status === 'processing') {
      const version = epoch - 1
      const holder = hold ? holderOf(hold.worker) : noHolder
      const held = { id, epoch, holder, leaseMs: hold?.leaseMs ?? endlessMs }
      return {
        ...placed,
        version,
        path: inbox.heldFile(held),
        recordPath: inbox.record({ id, version }),
        hold: {
          name: inboxNames.hold(held),
          worker: hold?.worker ?? null,
          boundFile: inbox.boundFile(held),
          isBound: hold?.bound ?? false,
        },
      }
    }
    const waiting = queue.waitingAt(task, epoch)
    return { ...placed, waiting, path: waiting.path, recordPath: inbox.record({ id, version: epoch }) }
  }
}

const pathOf = ({ inbox }: InboxTools, location: Location): string => {
  switch (location.at) {
    case 'pending':
      return location.place.path
    case 'ended': {
      const { status, month, ...name } = location.place
      return inbox.endedFile(status, month, name)
    }
    case 'ending':
      return inbox.endingFile(location.name)
    case 'delayed':
    case 'processing':
      return location.path
  }
}

/** What was noted of a task where it lay, and goes when it lies elsewhere. */
const createForgetting = ({ atomic, inbox, records, identities, running, queue }: InboxTools) => {
  const ofHold = async (location: Location, { project, issueNumber }: InboxRecord): Promise<void> => {
    if (location.at !== 'processing') return
    const { name } = location
    if (issueNumber !== null) await running.release(registerKeys.issue(project, issueNumber), inboxNames.hold(name))
    await atomic.remove(inbox.boundFile(name))
    await atomic.remove(inbox.cancelFile(name))
  }

  const recordPathOf = (location: Location, { id, epoch }: InboxRecord): string => {
    if (location.at === 'ended') {
      const { status, month, ...name } = location.place
      return inbox.endedRecord(status, month, name)
    }
    return inbox.record({ id, version: location.at === 'processing' ? epoch - 1 : epoch })
  }

  return async ({ location, record }: FoundTask, next: Placed | null): Promise<void> => {
    const identity = identityKey(taskOf(record))
    if (location.at === 'pending') await queue.left(location.place)
    if (location.at === 'delayed') await queue.left({ project: null, path: location.path })
    if (location.at === 'processing' && inboxNames.hold(location.name) !== next?.hold?.name)
      await ofHold(location, record)
    if (identity !== next?.identity)
      await identities.free(identity, { id: record.id, version: Number.MAX_SAFE_INTEGER })
    const recordPath = recordPathOf(location, record)
    if (recordPath === next?.recordPath) return
    if (location.at === 'ended') await atomic.remove(recordPath)
    else
      await records.remove({ id: record.id, version: location.at === 'processing' ? record.epoch - 1 : record.epoch })
  }
}

const createRegistering = (tools: InboxTools) => {
  const { atomic, identities, running } = tools
  const holders = createHolders(tools)
  const nobody = async (): Promise<boolean> => false

  /** Before the task is there: alone these say nothing, and who has them now gives them up. */
  const register = async ({ task, version, hold, identity }: Placed): Promise<void> => {
    const { id, project, issueNumber } = task
    if (identity !== null) await identities.acquire(identity, { id, version }, nobody)
    if (hold?.worker !== null && hold !== null) await holders.write(hold.worker)
    if (!hold || issueNumber === null) return
    if (!hold.isBound) return running.release(registerKeys.issue(project, issueNumber), hold.name)
    await running.acquire(registerKeys.issue(project, issueNumber), hold.name, nobody)
    await atomic.replace(hold.boundFile, issueNumber)
  }
  return register
}

/** Whole tasks go where they belong, with all that is noted of them. */
export const createInboxWriting = (tools: InboxTools) => {
  const { atomic, clock, queue, records } = tools
  const register = createRegistering(tools)
  const place = createPlacing(tools)
  const forget = createForgetting(tools)

  const keepRecord = async ({ task, version, hold, waiting, recordPath }: Placed): Promise<void> => {
    if (hold || waiting) await records.replace(task, version)
    else await atomic.replace(recordPath, encodeRecord(task))
  }

  return {
    /** Those that are nowhere yet: markdown last, since where it lies the task is. */
    async create(fresh: readonly InboxRecord[]): Promise<void> {
      const modified = new Date(clock.now())
      const placed = fresh.map((record) => ({ record, place: place(record) }))
      const recordsOf = placed.map(
        ({ place: { recordPath, task } }): NewFile => ({ path: recordPath, bytes: encodeRecord(task), modified }),
      )
      const taken = await atomic.bulk.create(recordsOf)
      await each(placed, together, async (one) => {
        if (taken.has(one.place.recordPath)) await keepRecord(one.place)
        await register(one.place)
      })
      await atomic.bulk.create(
        placed.map(({ record, place: { path } }): NewFile => ({ path, bytes: Buffer.from(record.markdown), modified })),
      )
      for (const { place } of placed) if (place.waiting) await queue.came(place.waiting)
    },

    /** One rename takes it from where it is, so that of two that move it one does. */
    async change(found: FoundTask, record: InboxRecord): Promise<void> {
      const next = place(record)
      const from = pathOf(tools, found.location)
      await keepRecord(next)
      await register(next)
      if (from !== next.path && (await atomic.move(from, next.path)) === 'absent')
        throw new StoreError({
          code: 'unavailable',
          message: `The task ${record.id} moved on while it was written: another program is at work on it. Write it again.`,
        })
      if (found.record.markdown !== record.markdown) await atomic.replace(next.path, record.markdown)
      await forget(found, next)
      if (next.waiting) await queue.came(next.waiting)
    },

    /** A hold begins anew where it is written, also where it is the same. */
    async renew({ location }: FoundTask): Promise<void> {
      if (location.at === 'processing') await beat(tools, location.path)
    },

    async remove(found: FoundTask): Promise<void> {
      await atomic.remove(pathOf(tools, found.location))
      await forget(found, null)
    },
  }
}
