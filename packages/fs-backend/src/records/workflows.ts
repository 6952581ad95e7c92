import {
  type JsonObject,
  patchJsonText,
  type Reading,
  unfit,
  type WorkflowRecord,
  type WorkflowStore,
  workflowRecord,
} from '@nexus/core'
import { textOf } from '../documents.ts'
import { each } from '../each.ts'
import { indentJson } from '../json-text.ts'
import { isVisibleName } from '../layout.ts'
import { inSlices } from '../paging.ts'
import type { FsTools } from '../tools.ts'
import { createWorkflowRecords, type StoredWorkflow } from '../workflow-record.ts'
import { isSameRecord } from './fields.ts'
import type { Names } from './names.ts'
import { readShelves, shelvesOf } from './page.ts'
import type { RecordsOf } from './store-records.ts'
import { createWriteAll, type Writing } from './writing.ts'

const recordOf = ({ document, found }: StoredWorkflow): Reading<WorkflowRecord> => {
  if (!found.ok) return found
  const { id, createdAt, updatedAt } = found.item
  const reading = workflowRecord({ id, createdAt, updatedAt }, textOf(document.bytes) ?? '')
  if (reading.ok) return { ok: true, item: reading.record }
  return { ok: false, corrupt: { name: id, place: document.path, reason: reading.reason, rev: document.rev } }
}

/** On files the columns are members of the document. */
const documentText = (record: WorkflowRecord): string => {
  const { project, issueNumber, data } = record
  const reading = workflowRecord(record, data)
  if (!reading.ok) throw unfit('workflows', record, `its document ${reading.reason}`)
  const { record: read } = reading
  const entries: JsonObject = {
    ...(read.project === project ? {} : { project }),
    ...(read.issueNumber === issueNumber ? {} : { issue_number: issueNumber }),
  }
  const patched = Object.keys(entries).length === 0 ? null : patchJsonText(read.data, { entries })
  return indentJson(patched?.ok ? patched.text : read.data)
}

export const createWorkflowRecordsOf = (
  tools: FsTools,
  names: Names,
  workflows: WorkflowStore,
): RecordsOf<'workflows'> => {
  const { layout } = tools
  const { read: readStored, keepCorrupt } = createWorkflowRecords(tools)
  const writeAll = createWriteAll(tools)

  const read = async (id: string): Promise<Reading<WorkflowRecord> | null> => {
    const stored = await readStored(id)
    return stored && recordOf(stored)
  }
  const shelves = shelvesOf(names, layout.workflows, read)

  const writingOf = (record: WorkflowRecord): Writing => {
    const { id, createdAt, updatedAt } = record
    if (!isVisibleName(`${id}.json`)) throw unfit('workflows', record, 'its id cannot be the name of a file')
    const text = documentText(record)
    const wanted = workflowRecord({ id, createdAt, updatedAt }, text)
    return {
      record: `workflows/${id}`,
      path: layout.workflow(id),
      bytes: Buffer.from(text),
      modified: updatedAt,
      async look() {
        const stored = await readStored(id)
        if (!stored) return null
        const found = recordOf(stored)
        const isSame = found.ok && wanted.ok && isSameRecord(found.item, wanted.record)
        return { stat: stored.document.stat, isSame, keep: () => keepCorrupt(stored) }
      },
    }
  }

  return {
    read: (page, options) => readShelves(shelves, page, options?.signal),
    async find(ids) {
      const found: WorkflowRecord[] = []
      for await (const one of inSlices(ids, read)) if (one.ok) found.push(one.item)
      return found
    },
    write: (records) => writeAll(records.map(writingOf)),
    remove: (ids) => each(ids, 8, async (id) => void (await workflows.delete(id))),
  }
}
