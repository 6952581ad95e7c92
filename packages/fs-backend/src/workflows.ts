import type { Count, Workflow, WorkflowFilter, WorkflowStore } from '@nexus/core'
import {
  boundedCount,
  checkName,
  checkTransition,
  dateOf,
  pageLimit,
  parseInput,
  type Reading,
  readable,
  readCursor,
  refusal,
  terminalWorkflowStates,
  WorkflowInput,
  workflowDocument,
  workflowFromStored,
} from '@nexus/core'
import { z } from 'zod'
import { bytesRev, encodeJson, madeOf, modifiedOf, objectOf, readDocument, type StoredDocument } from './documents.ts'
import { decideDelete } from './found.ts'
import { isVisibleName, recordName } from './layout.ts'
import { collectPage, inSlices, newestFirst } from './paging.ts'
import type { Decision } from './revisions/revisions.ts'
import type { FsTools } from './tools.ts'

const Cursor = z.tuple([z.number(), z.string()])

interface Stored {
  id: string
  document: StoredDocument
  found: Reading<Workflow>
}

const interpret = (id: string, document: StoredDocument): Stored => {
  const { path, rev, stat } = document
  const object = objectOf(document)
  if (!object.ok)
    return { id, document, found: { ok: false, corrupt: { name: id, place: path, reason: object.reason, rev } } }
  const workflow = workflowFromStored({ id }, object.value)
  const createdAt = dateOf(object.value['created_at']) ?? madeOf(stat)
  const updatedAt = dateOf(object.value['updated_at']) ?? modifiedOf(stat)
  return { id, document, found: { ok: true, item: { ...workflow, createdAt, updatedAt, rev } } }
}

const matches = ({ found }: Stored, { state, project, updatedBefore }: WorkflowFilter): boolean => {
  if (!found.ok) return state === undefined && project === undefined && updatedBefore === undefined
  const { item } = found
  return (
    (state === undefined || item.state === state) &&
    (project === undefined || item.project === project) &&
    (updatedBefore === undefined || item.updatedAt < updatedBefore)
  )
}

/** Unreadable documents stand where their file's time puts them. */
const keyOf = ({ id, found, document }: Stored): [number, string] => [
  (found.ok ? found.item.createdAt : madeOf(document.stat)).getTime(),
  id,
]

export const createWorkflows = (tools: FsTools): WorkflowStore => {
  const { layout, reading, revisions, quarantine, clock, checkOpen } = tools

  const read = async (id: string): Promise<Stored | null> => {
    if (!isVisibleName(`${id}.json`)) return null
    const document = await readDocument(reading, layout.workflow(id))
    return document && interpret(id, document)
  }

  const keepCorrupt = async (stored: Stored | null): Promise<void> => {
    if (stored && !stored.found.ok)
      await quarantine.keep(stored.document.path, stored.document.bytes, stored.found.corrupt.reason)
  }

  const all = async function* (): AsyncGenerator<Stored> {
    const ids = (await reading.files(layout.workflows)).flatMap((file) => recordName.json(file) ?? [])
    yield* inSlices(ids, read)
  }

  const decideSave = async (
    input: z.output<typeof WorkflowInput>,
    { ifRev, reopen }: { ifRev?: string | null | undefined; reopen?: boolean | undefined },
  ): Promise<Decision<Awaited<ReturnType<WorkflowStore['save']>>>> => {
    const present = await read(input.id)
    if (!present) checkName('workflowId', input.id)
    const refused = refusal(present?.found ?? null, ifRev)
    if (refused) return { answer: refused }
    const former = present?.found.ok ? present.found.item : null
    checkTransition(input.id, former?.state ?? null, input.state, reopen)
    await keepCorrupt(present)
    const updatedAt = new Date(clock.now())
    const earlier = former?.createdAt ?? (present ? madeOf(present.document.stat) : null)
    const createdAt = earlier ?? dateOf(input.data['created_at']) ?? updatedAt
    const bytes = Buffer.from(encodeJson(workflowDocument(input, { createdAt, updatedAt })))
    const path = layout.workflow(input.id)
    return {
      answer: { status: 'saved', rev: bytesRev(bytes) },
      change: { kind: 'put', path, bytes, modified: updatedAt, base: present?.document.stat ?? null },
    }
  }

  return {
    async save(workflow, options = {}) {
      checkOpen(options)
      const input = parseInput(WorkflowInput, workflow, 'workflow')
      return revisions.commit(`workflows/${input.id}`, () => decideSave(input, options), options)
    },
    async load(id, options) {
      checkOpen(options)
      const stored = await revisions.settled(`workflows/${id}`, () => read(id))
      await keepCorrupt(stored)
      return readable(stored?.found ?? null)
    },
    async list(filter = {}, options) {
      checkOpen(options)
      const rows = async function* () {
        for await (const stored of all()) {
          options?.signal?.throwIfAborted()
          if (matches(stored, filter)) yield { key: keyOf(stored), found: stored.found }
        }
      }
      pageLimit(filter)
      return collectPage(filter, { after: readCursor(filter, Cursor), compare: newestFirst, rows: rows() })
    },
    async delete(id, options) {
      checkOpen(options)
      return revisions.commit(
        `workflows/${id}`,
        async () => {
          const present = await read(id)
          return decideDelete(present?.document ?? null, options?.ifRev, async () => keepCorrupt(present))
        },
        options,
      )
    },
    async counts(options) {
      checkOpen(options)
      const counted = new Map<string, number>()
      for await (const { found } of all()) {
        options?.signal?.throwIfAborted()
        if (found.ok) counted.set(found.item.state, (counted.get(found.item.state) ?? 0) + 1)
      }
      const count = (state: string, n: number): Count => (terminalWorkflowStates.includes(state) ? boundedCount(n) : n)
      return Object.fromEntries([...counted].map(([state, n]) => [state, count(state, n)]))
    },
  }
}
