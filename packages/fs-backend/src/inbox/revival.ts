import type { FsTools } from '../tools.ts'
import type { Identities } from './identities.ts'
import type { EndedPlace, InboxLayout, PendingName } from './inbox-layout.ts'
import type { Locating } from './location.ts'
import type { Places } from './places.ts'
import type { Records, TaskRecord } from './record.ts'
import { identityKey, type Staging } from './staging.ts'
import { foreignTwin, isIdentityHeld } from './twins.ts'

export type Requeued = { status: 'requeued' } | { status: 'duplicate'; id: string }

/**
 * Sees a dead letter that was put among the staged through: into the queue where its identity is free, else back to
 * where it came from. Whoever finds one does this, so a crash leaves nothing half way. Null where somebody else did.
 */
export type Revive = (staged: PendingName) => Promise<Requeued | null>

export interface RevivalParts extends Pick<FsTools, 'atomic' | 'clock'>, Locating {
  inbox: InboxLayout
  records: Records
  places: Places
  identities: Identities
  staging: Staging
}

export const createRevival = (parts: RevivalParts): Revive => {
  const { atomic, clock, inbox, records, places, identities, staging } = parts

  const deadLetters = async ({ id, version }: PendingName): Promise<EndedPlace[]> =>
    (await places.endedRecords(id)).filter(({ status, epoch }) => status === 'failed' && epoch === version - 1)

  /** The record of its new life. The one of the old stays until the task is in the queue, to be read once more. */
  const freshRecord = async (staged: PendingName): Promise<TaskRecord | null> => {
    const present = await records.load(staged)
    if (present) return present
    const [from] = await deadLetters(staged)
    const ended = from && (await records.loadFile(inbox.endedRecord('failed', from.month, from)))
    if (!ended) return null
    const fresh = { attempts: 0, recoveries: 0, cancelRequested: false, processedAt: null, runAt: clock.now() }
    await records.create({ ...ended, ...fresh }, staged.version)
    return records.load(staged)
  }

  const sendBack = async (staged: PendingName): Promise<void> => {
    const [from] = await deadLetters(staged)
    if (!from) return
    const back = inbox.endedFile('failed', from.month, from)
    if ((await atomic.move(inbox.stagedFile(staged), back)) === 'moved') await records.remove(staged)
  }

  /** The id of the live task that has its identity, or null where that is the task's own again. */
  const takeIdentity = async (record: TaskRecord, staged: PendingName): Promise<string | null> => {
    const acquired = await identities.acquire(identityKey(record), staged, isIdentityHeld(parts, record))
    if (acquired.status === 'taken') return acquired.id
    const twin = await foreignTwin(parts, record)
    if (twin !== null) await identities.free(identityKey(record), staged)
    return twin
  }

  return async (staged) => {
    const record = await freshRecord(staged)
    if (!record) return null
    const twin = await takeIdentity(record, staged)
    if (twin !== null) {
      await sendBack(staged)
      return { status: 'duplicate', id: twin }
    }
    const isThere = (await staging.place(record, staged.version)) || (await parts.locateLive(staged.id)) !== null
    if (isThere) {
      // Not before: whoever finds the identity taken sends the task back to where this record is.
      for (const { month, ...name } of await deadLetters(staged))
        await atomic.remove(inbox.endedRecord('failed', month, name))
      return { status: 'requeued' }
    }
    await identities.free(identityKey(record), staged)
    return null
  }
}
