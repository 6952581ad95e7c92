import { randomUUID } from 'node:crypto'
import type { Moved, Records } from '@nexus/core'
import { openMemoryBackend } from '../memory/backend.ts'
import type { MemoryData } from '../memory/data.ts'
import { type PlantedBug, plantBackend } from './bug.ts'

const bug = (
  clause: string,
  name: string,
  change: (intact: Records, data: MemoryData) => Partial<Records>,
): PlantedBug =>
  plantBackend(clause, `records: ${name}`, ({ records }, data) => ({
    records: records && { ...records, ...change(records, data) },
  }))

/** As JSON that is read and written again has them. */
const rewritten = (text: string): string => JSON.stringify(JSON.parse(text))

export const recordBugs: PlantedBug[] = [
  bug('C-MOVE-1', 'the last page is left out', (intact) => ({
    async read(store, page, options) {
      const read = await intact.read(store, page, options)
      return read.cursor === null && page?.cursor !== undefined ? { ...read, items: [] } : read
    },
  })),
  bug('C-MOVE-1', 'what is unreadable is passed over', (intact) => ({
    read: async (...request) => ({ ...(await intact.read(...request)), corrupt: [] }),
  })),
  bug('C-MOVE-2', 'JSON is read and written anew', (intact) => ({
    write: (store, records, options) =>
      intact.write(
        store,
        records.map((record) => ('data' in record ? { ...record, data: rewritten(record.data) } : record)),
        options,
      ),
  })),
  bug('C-MOVE-2', 'times are whole seconds', (intact, data) => ({
    async write(store, records, options) {
      await intact.write(store, records, options)
      for (const row of data.taskFiles.values())
        row.createdAt = new Date(Math.floor(row.createdAt.getTime() / 1000) * 1000)
    },
  })),
  bug('C-MOVE-2', 'a record that is there stays as it is', (intact) => ({
    async write(store, records, options) {
      if (records.length > 10) return intact.write(store, records, options)
      for (const record of records) {
        const { items } = await intact.read(store, { limit: 1000 }, options)
        if (!items.some((item) => JSON.stringify(Object.values(item)[0]) === JSON.stringify(Object.values(record)[0])))
          await intact.write(store, [record], options)
      }
    },
  })),
  bug('C-MOVE-3', 'completions are numbered as they come', (intact, data) => ({
    async write(store, records, options) {
      await intact.write(
        store,
        records.map((record) => ('seq' in record ? { ...record, seq: data.next() } : record)),
        options,
      )
    },
  })),
  bug('C-MOVE-3', 'the sequence stays behind', (intact, data) => ({
    async write(store, records, options) {
      await intact.write(
        store,
        records.map((record) => ('seq' in record ? { ...record, seq: null } : record)),
        options,
      )
      for (const record of records) {
        const row = 'seq' in record ? data.completions.get(record.dedupKey) : undefined
        if (row && 'seq' in record) row.seq = record.seq
      }
    },
  })),
  bug('C-MOVE-4', 'idempotency keys are left behind', (intact) => ({
    write: (store, records, options) =>
      intact.write(
        store,
        records.map((record) => ('idempotencyKey' in record ? { ...record, idempotencyKey: null } : record)),
        options,
      ),
  })),
  bug('C-MOVE-5', 'what is in processing begins anew', (intact) => ({
    write: (store, records, options) =>
      intact.write(
        store,
        records.map((record) =>
          'hold' in record && record.hold ? { ...record, status: 'pending', hold: null } : record,
        ),
        options,
      ),
  })),
  bug('C-MOVE-5', 'a hold comes without its mark of the issue', (intact) => ({
    write: (store, records, options) =>
      intact.write(
        store,
        records.map((record) =>
          'hold' in record && record.hold ? { ...record, hold: { ...record.hold, bound: false } } : record,
        ),
        options,
      ),
  })),
  bug('C-MOVE-6', 'remove empties the store where a key is unknown', (intact, data) => ({
    async remove(store, keys, options) {
      await intact.remove(store, keys, options)
      if (keys.includes('nobody') && store === 'taskFiles') data.taskFiles.clear()
    },
  })),
  bug('C-MOVE-7', 'the mark is known to its own process alone', (intact, data) => {
    const own = new Map(data.moved)
    return {
      async markMoved(moved, options) {
        const inTheWay = await intact.markMoved(moved, options)
        for (const mark of moved) own.set(mark.store, mark)
        data.moved.clear()
        return inTheWay
      },
      moved: async () => [...own.values()],
    }
  }),
  bug('C-MOVE-8', 'each opening has an identity of its own', () => {
    const own = randomUUID()
    return { identity: async () => own }
  }),
  bug('C-MOVE-9', 'the latest mark counts', (intact, data) => ({
    async markMoved(moved, options) {
      for (const { store } of moved) data.moved.delete(store)
      return intact.markMoved(moved, options)
    },
  })),
  bug('C-MOVE-9', 'marks that are not in the way are put all the same', (intact) => ({
    async markMoved(moved, options) {
      const inTheWay: Moved[] = []
      for (const mark of moved) inTheWay.push(...(await intact.markMoved([mark], options)))
      return inTheWay
    },
  })),
  {
    name: 'records: what moved can still be read',
    clause: 'C-MOVE-7',
    plant: () => (context, data) => {
      const moved = openMemoryBackend(context, data)
      const { taskFiles } = openMemoryBackend(context, { ...data, moved: new Map() })
      return { ...moved, taskFiles: { ...moved.taskFiles, load: taskFiles.load, list: taskFiles.list } }
    },
  },
]
