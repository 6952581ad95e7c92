import { type InboxStore, StoreError } from '@nexus/core'
import { type EndedPlace, type HeldName, noHolder, type PendingName } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import type { Location } from './location.ts'
import type { Waiting } from './queue.ts'
import type { Requeued } from './revival.ts'

/** What a person does to the queue. [C-INBOX-14..15] */
export type OperatorVerbs = Pick<InboxStore, 'requeue' | 'cancel'>

type Cancelled = Awaited<ReturnType<InboxStore['cancel']>>

const mostTurns = 20

const statusAt = (location: Location): string => {
  if (location.at === 'ended') return location.place.status
  return location.at === 'processing' || location.at === 'ending' ? 'processing' : 'pending'
}

const createRequeue = ({ inbox, atomic, revive }: InboxTools) => {
  /** Null where somebody else moved it meanwhile. */
  return async ({ status, month, ...name }: EndedPlace): Promise<Requeued | null> => {
    const staged = { id: name.id, version: name.epoch + 1 }
    const moved = await atomic.move(inbox.endedFile(status, month, name), inbox.stagedFile(staged))
    return moved === 'moved' ? revive(staged) : null
  }
}

/** A claim of another program, that came here as it was. Null where somebody else moved it meanwhile. */
const createReturn = ({ records, endings, clock }: InboxTools) => {
  return async (held: HeldName): Promise<Requeued | null> => {
    const record = await records.load({ id: held.id, version: held.epoch - 1 })
    if (!record) return null
    const fresh = { attempts: 0, recoveries: 0, cancelRequested: false, runAt: clock.now() }
    await records.create({ ...record, ...fresh }, held.epoch)
    const ending = await endings.endHold(held, { kind: 'free', at: clock.now() })
    if (ending) await endings.finish(ending)
    return ending && { status: 'requeued' }
  }
}

const createCancel = (tools: InboxTools) => {
  const { inbox, records, atomic, endings, clock, reading } = tools

  const cancelPending = async (waiting: Waiting, name: PendingName): Promise<Cancelled | null> => {
    const ending = await endings.endPending(waiting, name, { kind: 'cancel', at: clock.now() })
    if (ending) await endings.finish(ending)
    return ending ? { status: 'cancelled' } : null
  }

  /** Null where it moved on meanwhile. */
  return async (location: Location): Promise<Cancelled | null> => {
    if (location.at === 'ended') return { status: 'refused', is: location.place.status }
    if (location.at === 'delayed') return cancelPending({ project: null, path: location.path }, location.name)
    if (location.at === 'pending') {
      const { place } = location
      if (place.handMade && place.record) await records.create(place.record, 0)
      return cancelPending(place, { id: place.id, version: place.version })
    }
    if (location.at === 'ending') {
      await endings.finish(location.name)
      return null
    }
    await atomic.createOnce(inbox.cancelFile(location.name), '')
    // Whoever ends the hold looks for the request after the rename that ends it.
    if (await reading.stat(location.path)) return { status: 'requested' }
    await atomic.remove(inbox.cancelFile(location.name))
    return null
  }
}

export const createOperatorVerbs = (tools: InboxTools): OperatorVerbs => {
  const requeue = createRequeue(tools)
  const giveBack = createReturn(tools)
  const cancel = createCancel(tools)

  const untilSettled = async <T>(
    id: string,
    turn: (location: Location) => Promise<T | null>,
  ): Promise<T | 'absent'> => {
    for (let turns = 0; turns < mostTurns; turns += 1) {
      const location = await tools.locate(id)
      if (!location) return 'absent'
      const answer = await turn(location)
      if (answer !== null) return answer
    }
    throw new StoreError({ code: 'unavailable', message: `The inbox task ${id} keeps changing its place.` })
  }

  return {
    async requeue(id, options) {
      tools.checkOpen(options)
      const answer = await untilSettled<Requeued | { status: 'refused'; is: string }>(id, async (location) => {
        if (location.at === 'ended' && location.place.status === 'failed') return requeue(location.place)
        if (location.at === 'processing' && location.name.holder === noHolder) return giveBack(location.name)
        return { status: 'refused', is: statusAt(location) }
      })
      return answer === 'absent' ? { status: 'absent' } : answer
    },
    async cancel(id, options) {
      tools.checkOpen(options)
      const answer = await untilSettled(id, cancel)
      return answer === 'absent' ? { status: 'absent' } : answer
    },
  }
}
