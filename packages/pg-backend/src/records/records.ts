import {
  type CallOptions,
  canExist,
  checkCount,
  isStoreError,
  type Records,
  readRecords,
  StoreError,
  type StoreName,
  type StoreRecords,
  storeNames,
  unfit,
} from '@nexus/core'
import type { Marks } from '../moved.ts'
import { sqlStateOf } from '../pg-errors.ts'
import { type RunStatement, runWithin } from '../query.ts'
import { asMover, readIdentity } from '../statements/moved.ts'
import type { Call, PgTools } from '../tools.ts'
import { inboxShelf } from './inbox.ts'
import type { Shelf } from './shelf.ts'
import { completionShelf, hostStateShelf, workflowShelf } from './stores.ts'
import { taskFileShelf } from './task-files.ts'

/** What a call of a thousand records may take. */
const bulkMs = 30_000

const shelves: { readonly [S in StoreName]: Shelf<S> } = {
  workflows: workflowShelf,
  completions: completionShelf,
  hostState: hostStateShelf,
  taskFiles: taskFileShelf,
  inbox: inboxShelf,
}

/** A key that another row has, or one row that two records of the call would write. */
const isTaken = (error: unknown): boolean => ['23505', '21000'].includes(sqlStateOf(error) ?? '')

const createWrite = ({ client, run }: PgTools) => {
  const asOne = <T>(call: Call, work: (run: RunStatement) => Promise<T>): Promise<T> =>
    client.transaction((query) => work(runWithin(query)), { ...call, setting: asMover })

  /** Copies find nothing in their way, changes find the record itself, and hardly ever another one that has its keys. */
  const write = async <S extends StoreName>(store: S, records: StoreRecords[S][], call: Call): Promise<void> => {
    const shelf: Shelf<S> = shelves[store]
    const tries = [
      () => shelf.write(run, 'new', records, call),
      () => asOne(call, (within) => shelf.write(within, 'over', records, call)),
    ]
    for (const attempt of tries)
      try {
        return await attempt()
      } catch (error) {
        // The fence of a store that moved away stands before a single statement; a transaction of the mover's passes it.
        const isFenced = isStoreError(error) && error.movedTo !== undefined
        if (!isTaken(error) && !isFenced) throw error
      }
    await asOne(call, async (within) => {
      await shelf.displace(within, records, call)
      await shelf.write(within, 'over', records, call)
    })
  }

  /** The database does not say which record it refuses, so each is tried by itself. */
  const writeEach = async <S extends StoreName>(store: S, records: StoreRecords[S][], call: Call): Promise<void> => {
    for (const record of records)
      try {
        await write(store, [record], call)
      } catch (error) {
        throw isStoreError(error, 'invalid') ? unfit(store, record, error.message) : error
      }
  }

  return { asOne, write, writeEach }
}

/** Whole records on PostgreSQL, past the triggers that speak for other programs and past the fences of what moved. */
export const createRecords = (tools: PgTools, marks: Marks): Records => {
  const { run, client, checkOpen } = tools
  const { asOne, write, writeEach } = createWrite(tools)

  const begin = ({ signal }: CallOptions = {}): Call => {
    checkOpen({ signal })
    return { signal, budget: client.budget(bulkMs) }
  }

  const keysOf = (keys: readonly string[]): string[] => {
    checkCount(keys.length)
    return [...new Set(keys)].filter(canExist)
  }

  return {
    async read<S extends StoreName>(store: S, page = {}, options?: CallOptions) {
      const shelf: Shelf<S> = shelves[store]
      return shelf.read(run, page, begin(options))
    },
    async find<S extends StoreName>(store: S, keys: readonly string[], options?: CallOptions) {
      const call = begin(options)
      const shelf: Shelf<S> = shelves[store]
      return shelf.find(run, keysOf(keys), call)
    },
    async write<S extends StoreName>(store: S, given: readonly StoreRecords[S][], options?: CallOptions) {
      const call = begin(options)
      const shelf: Shelf<S> = shelves[store]
      const records = readRecords(store, given)
      for (const record of records) {
        const problem = shelf.problem(record)
        if (problem !== null) throw unfit(store, record, problem)
      }
      if (records.length === 0) return
      try {
        await write(store, records, call)
      } catch (error) {
        if (!isStoreError(error, 'invalid')) throw error
        await writeEach(store, records, call)
      }
    },
    async remove(store, keys, options) {
      const call = begin(options)
      const known = keysOf(keys)
      if (known.length > 0) await asOne(call, (within) => shelves[store].remove(within, known, call))
    },
    async moved(options) {
      checkOpen(options)
      const { stores = storeNames } = options ?? {}
      return (await marks.read(options)).filter(({ store }) => stores.includes(store))
    },
    async markMoved(moved, options) {
      checkOpen(options)
      return marks.put(moved, options ?? {})
    },
    async identity(options) {
      const [row] = await run(readIdentity, [], begin(options))
      if (row) return row.identity
      throw new StoreError({
        code: 'corrupt',
        place: 'nexus_identity',
        message:
          'nexus_identity names this database among all, and is empty. Restore its row; if no move is under way: INSERT INTO nexus_identity DEFAULT VALUES;',
      })
    },
    async unmarkMoved(stores, options) {
      checkOpen(options)
      await marks.take(stores, options ?? {})
    },
  }
}
