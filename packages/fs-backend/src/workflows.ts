import type { WorkflowStore } from '@nexus/core'
import {
  checkName,
  checkTransition,
  dateOf,
  type Guard,
  parseInput,
  readable,
  refusal,
  type SaveResult,
  WorkflowInput,
  workflowDocument,
} from '@nexus/core'
import type { z } from 'zod'
import { bytesRev, encodeJson } from './documents.ts'
import { decideDelete } from './found.ts'
import type { Decision } from './revisions/revisions.ts'
import type { FsTools } from './tools.ts'
import { createWorkflowList } from './workflow-list.ts'
import { createWorkflowRecords, madeAt, type WorkflowRecords } from './workflow-record.ts'

const decideSave = async (
  { layout, clock }: FsTools,
  { read, keepCorrupt }: WorkflowRecords,
  input: z.output<typeof WorkflowInput>,
  { ifRev, reopen }: Guard & { reopen?: boolean | undefined },
): Promise<Decision<SaveResult>> => {
  const present = await read(input.id)
  if (!present) checkName('workflowId', input.id)
  const refused = refusal(present?.found ?? null, ifRev)
  if (refused) return { answer: refused }
  const former = present?.found.ok ? present.found.item : null
  checkTransition(input.id, former?.state ?? null, input.state, reopen)
  await keepCorrupt(present)
  const updatedAt = new Date(clock.now())
  const createdAt = present ? madeAt(present) : (dateOf(input.data['created_at']) ?? updatedAt)
  const bytes = Buffer.from(encodeJson(workflowDocument(input, { createdAt, updatedAt })))
  const path = layout.workflow(input.id)
  return {
    answer: { status: 'saved', rev: bytesRev(bytes) },
    change: { kind: 'put', path, bytes, modified: updatedAt, base: present?.document.stat ?? null },
  }
}

export const createWorkflows = (tools: FsTools): WorkflowStore => {
  const { revisions, checkOpen } = tools
  const records = createWorkflowRecords(tools)
  return {
    ...createWorkflowList(tools, records),
    async save(workflow, options = {}) {
      checkOpen(options)
      const input = parseInput(WorkflowInput, workflow, 'workflow')
      return revisions.commit(`workflows/${input.id}`, () => decideSave(tools, records, input, options), options)
    },
    async load(id, options) {
      checkOpen(options)
      const stored = await revisions.settled(`workflows/${id}`, () => records.read(id))
      await records.keepCorrupt(stored)
      return readable(stored?.found ?? null)
    },
    async delete(id, options) {
      checkOpen(options)
      const decide = async () => {
        const present = await records.read(id)
        return decideDelete(present?.document ?? null, options?.ifRev, () => records.keepCorrupt(present))
      }
      return revisions.commit(`workflows/${id}`, decide, options)
    },
  }
}
