import { isStoreError, type MarkOptions, type Moved, movedAway, type StoreName, storeNames } from '@nexus/core'
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
  /** Answers the marks of other moves that stand in the way: then none is put. */
  put(moved: readonly Moved[], options: MarkOptions): Promise<Moved[]>
  take(stores: readonly StoreName[], call: Partial<Call>): Promise<void>
}

const readMark = ({ store, moved_to, at, moved_by }: MovedRow): Moved[] => {
  const name = storeNames.find((known) => known === store)
  return name ? [{ store: name, to: moved_to, at, ...(moved_by !== null && { by: moved_by }) }] : []
}

/** Undoes a transaction that marks of other moves stand in the way of. */
class InTheWay extends Error {
  readonly put: readonly string[]

  constructor(put: readonly string[]) {
    super('A mark of another move is in the way.')
    this.put = put
  }
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
    async put(moved, { signal, over = [] }) {
      const values = [
        moved.map(({ store }) => store),
        moved.map(({ to }) => to),
        moved.map(({ at }) => at),
        moved.map(({ by }) => by ?? null),
        [...over],
      ]
      // The mark and the fences that tell of it are there together or not at all.
      const work = transaction(
        async (within) => {
          const put = await within<{ store: string }>(markMoved.text, values)
          if (put.rows.length < moved.length) throw new InTheWay(put.rows.map(({ store }) => store))
          for (const { store } of moved) await within(putFence(store))
        },
        { signal, timeoutMs: fenceMs },
      )
      const refused = await work.then(
        () => null,
        (error: unknown) => {
          if (error instanceof InTheWay) return error
          throw error
        },
      )
      const present = await read({ signal })
      const others = moved.filter(({ store }) => refused && !refused.put.includes(store)).map(({ store }) => store)
      return present.filter(({ store }) => others.includes(store))
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
