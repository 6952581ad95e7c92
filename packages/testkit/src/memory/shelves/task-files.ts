import { contentRev, type Reading, recordKey, type TaskFileRecord } from '@nexus/core'
import type { MemoryData, TaskFileRow } from '../data.ts'
import { foundIn, pageByNumber, type Shelf } from './shelf.ts'

const isNewer = (a: TaskFileRow, b: TaskFileRow): boolean =>
  a.createdAt.getTime() - b.createdAt.getTime() > 0 || (a.createdAt.getTime() === b.createdAt.getTime() && a.id > b.id)

export const taskFileShelf = ({ taskFiles, next }: MemoryData): Shelf<'taskFiles'> => {
  /** Of duplicates the one that `load` gives. */
  const rowOf = (key: string): TaskFileRow | null => {
    let newest: TaskFileRow | null = null
    for (const row of taskFiles.values())
      if (recordKey.taskFiles(row) === key && (newest === null || isNewer(row, newest))) newest = row
    return newest
  }

  const read = (row: TaskFileRow): Reading<TaskFileRecord> => {
    const { id, ...record } = row
    if (rowOf(recordKey.taskFiles(row))?.id === id) return { ok: true, item: record }
    const reason = `is another file of that name in ${row.state}, and only the newest can move`
    const place = `memory task file ${row.project}/${row.filename}`
    return { ok: false, corrupt: { name: row.filename, place, reason, rev: contentRev(String(id), row.content) } }
  }

  return {
    read: (page) => pageByNumber(taskFiles.values(), page, { number: ({ id }) => id, read }),
    find(key) {
      const row = rowOf(key)
      return foundIn(row ? read(row) : null)
    },
    write(record) {
      const id = rowOf(recordKey.taskFiles(record))?.id ?? next()
      taskFiles.set(id, { ...record, id })
    },
    remove(key) {
      const row = rowOf(key)
      if (row) taskFiles.delete(row.id)
    },
  }
}
