import { dateOf, type Reading, type Workflow, workflowFromStored } from '@nexus/core'
import { madeOf, modifiedOf, objectOf, readDocument, type StoredDocument } from './documents.ts'
import { isVisibleName } from './layout.ts'
import type { FsTools } from './tools.ts'

/** A workflow as its file has it. */
export interface StoredWorkflow {
  document: StoredDocument
  found: Reading<Workflow>
}

export const interpret = (id: string, document: StoredDocument): StoredWorkflow => {
  const { path, rev, stat } = document
  const object = objectOf(document)
  if (!object.ok)
    return { document, found: { ok: false, corrupt: { name: id, place: path, reason: object.reason, rev } } }
  const workflow = workflowFromStored({ id }, object.value)
  const createdAt = dateOf(object.value['created_at']) ?? madeOf(stat)
  const updatedAt = dateOf(object.value['updated_at']) ?? modifiedOf(stat)
  return { document, found: { ok: true, item: { ...workflow, createdAt, updatedAt, rev } } }
}

export const madeAt = ({ found, document }: StoredWorkflow): Date =>
  found.ok ? found.item.createdAt : madeOf(document.stat)

export interface WorkflowRecords {
  read(id: string): Promise<StoredWorkflow | null>
  /** Keeps a copy of what is about to be refused or replaced because it cannot be read. */
  keepCorrupt(stored: StoredWorkflow | null): Promise<void>
}

export const createWorkflowRecords = ({ layout, reading, quarantine }: FsTools): WorkflowRecords => ({
  async read(id) {
    if (!isVisibleName(`${id}.json`)) return null
    const document = await readDocument(reading, layout.workflow(id))
    return document && interpret(id, document)
  },
  async keepCorrupt(stored) {
    if (stored && !stored.found.ok)
      await quarantine.keep(stored.document.path, stored.document.bytes, stored.found.corrupt.reason)
  },
})
