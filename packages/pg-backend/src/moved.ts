import { isStoreError, type Moved, movedAway, type StoreName, storeNames } from '@nexus/core'
import type { PgClient } from './client.ts'
import { dropFence, listMoved, type MovedRow, markMoved, putFence, unmarkMoved } from './statements/moved.ts'
import type { Call } from './tools.ts'

/** What this opening knows of stores that moved away. Writes meet the fence in the database whatever it knows. [C-MOVE-7] */
export interface Marks {
  /** Throws where the store is known to have moved. */
  check(store: StoreName): void
  /** Looks into the database. */
  read(call?: Partial<Call>): Promise<Moved[]>
  note(rows: readonly MovedRow[]): Moved[]
  put(moved: readonly Moved[], call: Partial<Call>): Promise<void>
  take(stores: readonly StoreName[], call: Partial<Call>): Promise<void>
}

const readMark = ({ store, moved_to, at }: MovedRow): Moved[] => {
  const name = storeNames.find((known) => known === store)
  return name ? [{ store: name, to: moved_to, at }] : []
}

/** What putting and taking a fence may take: it waits for those who write. */
const fenceMs = 30_000

export const createMarks = ({ query, transaction }: Pick<PgClient, 'query' | 'transaction'>): Marks => {
  let known = new Map<StoreName, Moved>()
  const note = (rows: readonly MovedRow[]): Moved[] => {
    const moved = rows.flatMap(readMark)
    known = new Map(moved.map((mark) => [mark.store, mark]))
    return moved
  }
  const read: Marks['read'] = async (call) => note((await query<MovedRow>(listMoved.text, [], call)).rows)
  return {
    check(store) {
      const moved = known.get(store)
      if (moved) throw movedAway(moved)
    },
    read,
    note,
    async put(moved, { signal }) {
      const values = [moved.map(({ store }) => store), moved.map(({ to }) => to), moved.map(({ at }) => at)]
      // The mark and the fences that tell of it are there together or not at all.
      const work = transaction(
        async (within) => {
          await within(markMoved.text, values)
          for (const { store } of moved) await within(putFence(store))
        },
        { signal, timeoutMs: fenceMs },
      )
      await work
      await read({ signal })
    },
    async take(stores, { signal }) {
      await transaction(
        async (within) => {
          await within(unmarkMoved.text, [[...stores]])
          for (const store of new Set(stores)) await within(dropFence(store))
        },
        { signal, timeoutMs: fenceMs },
      )
      await read({ signal })
    },
  }
}

/** The same client, which looks at the marks as soon as a write of ours meets a fence. */
export const watchFences = (client: PgClient, marks: Pick<Marks, 'read'>): PgClient => {
  const watched = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      // The refusal says enough by itself: that the marks cannot be read now is no other answer.
      if (isStoreError(error) && error.movedTo !== undefined) await marks.read().catch(() => {})
      throw error
    }
  }
  return {
    ...client,
    query: (...request) => watched(client.query(...request)),
    transaction: (...request) => watched(client.transaction(...request)),
  }
}
