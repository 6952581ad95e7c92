import { canExist, contentRev, type Reading, type TaskFileRecord, taskFileKey } from '@nexus/core'
import { z } from 'zod'
import type { RunStatement } from '../query.ts'
import { readDate } from '../rows.ts'
import * as sql from '../statements/records.ts'
import { identityKey } from '../task-files.ts'
import type { Call } from '../tools.ts'
import { columnsOf, ownersOf, readableOf, readPage, type Shelf } from './shelf.ts'

const Cursor = z.tuple([z.int32()])
const Key = z.tuple([z.string(), z.string(), z.string()])

const readRow = (row: sql.TaskFileRecordRow): Reading<TaskFileRecord> => {
  const { id, project, filename, state, content, issue_number: issueNumber } = row
  const createdAt = readDate(row.created_at) ?? new Date(0)
  const updatedAt = readDate(row.updated_at) ?? new Date(0)
  if (row.is_newest) return { ok: true, item: { project, filename, state, content, issueNumber, createdAt, updatedAt } }
  const reason = `is another file of the name ${filename} that is ${state} in ${project}, and only the newest can move`
  return {
    ok: false,
    corrupt: { name: filename, place: `nexus_task_files id=${id}`, reason, rev: contentRev(id, content) },
  }
}

/** The parts of those keys that a record can have. */
const partsOf = (keys: readonly string[]): unknown[] => {
  const parts = keys.flatMap((key) => {
    try {
      const parsed = Key.safeParse(JSON.parse(key))
      return parsed.success && parsed.data.every((part) => part === '' || canExist(part)) ? [parsed.data] : []
    } catch {
      return []
    }
  })
  return columnsOf(parts, [([project]) => project, ([, filename]) => filename, ([, , state]) => state])
}

const nameOf = ({ project, filename }: TaskFileRecord): string => identityKey(project, filename)

const idsOf = async (run: RunStatement, keys: readonly string[], call: Call): Promise<Map<string, number>> => {
  const rows = await run(sql.idsOfTaskFiles, partsOf(keys), call)
  return new Map(rows.map((row) => [taskFileKey(row), row.id]))
}

export const taskFileShelf: Shelf<'taskFiles'> = {
  read: (run, request, call) =>
    readPage(run, { statement: sql.pageTaskFiles, cursor: Cursor, key: ({ id }) => id, read: readRow }, request, call),
  async find(run, keys, call) {
    return readableOf(await run(sql.findTaskFiles, partsOf([...new Set(keys)]), call), readRow)
  },
  problem: () => null,
  async write(run, _, records, call) {
    const ids = await idsOf(run, records.map(taskFileKey), call)
    const owners = ownersOf(records, nameOf)
    const values = columnsOf(records, [
      (record) => ids.get(taskFileKey(record)) ?? null,
      ({ project }) => project,
      ({ filename }) => filename,
      ({ state }) => state,
      ({ content }) => content,
      ({ issueNumber }) => issueNumber,
      ({ createdAt }) => createdAt,
      ({ updatedAt }) => updatedAt,
      (record) => (owners.has(record) ? nameOf(record) : null),
    ])
    await run(sql.writeTaskFiles, values, call)
  },
  async displace(run, records, call) {
    await run(sql.displaceTaskFiles, [records.map(nameOf)], call)
  },
  async remove(run, keys, call) {
    await run(sql.removeTaskFiles, [[...(await idsOf(run, keys, call)).values()]], call)
  },
}
