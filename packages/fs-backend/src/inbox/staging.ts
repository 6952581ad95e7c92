import type { Atomic } from '../atomic.ts'
import type { Identities } from './identities.ts'
import { type InboxLayout, type PendingName, registerKeys } from './inbox-layout.ts'
import type { Places } from './places.ts'
import type { Queue } from './queue.ts'
import type { Records, TaskRecord } from './record.ts'

/**
 * A task is written whole out of sight, then its identity is registered, then it is renamed into its place. Registering
 * is the moment at which it is enqueued: a crash before it leaves nothing that counts, and after it whoever meets the
 * identity finishes the renaming.
 */
export interface Staging {
  write(record: TaskRecord, markdown: string): Promise<void>
  /** Of racing calls one is true. */
  place(record: TaskRecord, version: number): Promise<boolean>
  find(id: string): Promise<PendingName | null>
  /** Places it where its identity is registered. */
  finish(name: PendingName): Promise<void>
  discard(id: string): Promise<void>
}

export const identityKey = ({ project, workspace, filename, idempotencyKey }: TaskRecord): string =>
  idempotencyKey === null ? registerKeys.name(project, workspace, filename) : registerKeys.key(idempotencyKey)

export interface StagingParts {
  layout: InboxLayout
  atomic: Atomic
  records: Records
  places: Places
  identities: Identities
  queue: Queue
}

export const createStaging = ({ layout, atomic, records, places, identities, queue }: StagingParts): Staging => {
  const place = async (record: TaskRecord, version: number): Promise<boolean> =>
    (await queue.enter(layout.stagedFile({ id: record.id, version }), record, version)) !== null
  return {
    place,
    async write(record, markdown) {
      await atomic.createOnce(layout.stagedFile({ id: record.id, version: 0 }), markdown)
      await records.create(record, 0)
    },
    async find(id) {
      return (await places.staged()).find((name) => name.id === id) ?? null
    },
    async finish(name) {
      const record = await records.load(name)
      if (record && (await identities.owner(identityKey(record))) === name.id) await place(record, name.version)
    },
    async discard(id) {
      await atomic.remove(layout.stagedFile({ id, version: 0 }))
      await records.remove({ id, version: 0 })
    },
  }
}
