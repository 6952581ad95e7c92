import { type CorruptEntry, parseJson } from '@nexus/core'
import type { RunStatement } from '../query.ts'
import { readJsonObject } from '../rows.ts'
import { listDocuments } from '../statements/survey.ts'

/** Documents in one answer. */
const batch = 500

const sources = [
  { statement: listDocuments.workflows, place: 'nexus_workflows id', read: readJsonObject },
  { statement: listDocuments.completions, place: 'nexus_completions id', read: readJsonObject },
  { statement: listDocuments.hostState, place: 'nexus_host_state key', read: parseJson },
] as const

/** Documents that cannot be read, of the first `most` of each table; no more than a batch of them is held. */
export const unreadableDocuments = async (run: RunStatement, most: number | null) => {
  const entries: CorruptEntry[] = []
  let [looked, isAll] = [0, true]
  for (const { statement, place, read } of sources) {
    let [last, ofTable]: [string | null, number] = [null, 0]
    for (let isMore = true; isMore; ) {
      const rows: { key: string; data: string }[] = await run(statement, [last, batch])
      for (const { key, data } of rows) {
        const found = read(data)
        if (!found.ok) entries.push({ name: key, place: `${place}=${key}`, reason: found.reason, rev: '' })
      }
      ofTable += rows.length
      last = rows.at(-1)?.key ?? null
      isMore = rows.length === batch
      if (isMore && most !== null && ofTable >= most) [isMore, isAll] = [false, false]
    }
    looked += ofTable
  }
  return { entries, looked, isAll }
}
