import { compactJson, type HostStateRecord, type HostStateStore, type Reading, unfit } from '@nexus/core'
import { modifiedOf, readDocument, type StoredDocument, textOf } from '../documents.ts'
import { each } from '../each.ts'
import { indentJson } from '../json-text.ts'
import { isVisibleName } from '../layout.ts'
import { inSlices } from '../paging.ts'
import type { FsTools } from '../tools.ts'
import { isSameRecord } from './fields.ts'
import type { Names } from './names.ts'
import { readShelves, shelvesOf } from './page.ts'
import type { RecordsOf } from './store-records.ts'
import { createWriteAll, type Writing } from './writing.ts'

const recordOf = (key: string, { path, bytes, stat, rev, parsed }: StoredDocument): Reading<HostStateRecord> =>
  parsed.ok
    ? { ok: true, item: { key, data: compactJson(textOf(bytes) ?? ''), updatedAt: modifiedOf(stat) } }
    : { ok: false, corrupt: { name: key, place: path, reason: parsed.reason, rev } }

export const createHostStateRecords = (
  tools: FsTools,
  names: Names,
  hostState: HostStateStore,
): RecordsOf<'hostState'> => {
  const { layout, reading, quarantine } = tools
  const writeAll = createWriteAll(tools)

  const readStored = async (key: string): Promise<StoredDocument | null> =>
    isVisibleName(`${key}.json`) ? readDocument(reading, layout.hostStateFile(key)) : null

  const read = async (key: string): Promise<Reading<HostStateRecord> | null> => {
    const document = await readStored(key)
    return document && recordOf(key, document)
  }
  const shelves = shelvesOf(names, layout.hostState, read)

  const writingOf = (record: HostStateRecord): Writing => {
    const { key, updatedAt } = record
    if (!isVisibleName(`${key}.json`)) throw unfit('hostState', record, 'its key cannot be the name of a file')
    const wanted = { ...record, data: compactJson(record.data) }
    return {
      record: `state/${key}`,
      path: layout.hostStateFile(key),
      bytes: Buffer.from(indentJson(record.data)),
      modified: updatedAt,
      async look() {
        const document = await readStored(key)
        if (!document) return null
        const found = recordOf(key, document)
        return {
          stat: document.stat,
          isSame: found.ok && isSameRecord(found.item, wanted),
          async keep() {
            if (!found.ok) await quarantine.keep(document.path, document.bytes, found.corrupt.reason)
          },
        }
      },
    }
  }

  return {
    read: (page, options) => readShelves(shelves, page, options?.signal),
    async find(keys) {
      const found: HostStateRecord[] = []
      for await (const one of inSlices(keys, read)) if (one.ok) found.push(one.item)
      return found
    },
    write: (records) => writeAll(records.map(writingOf)),
    remove: (keys) => each(keys, 8, async (key) => void (await hostState.delete(key))),
  }
}
